"""The command line: one row a command, loaded when it is used, and the door through which every failure leaves.

Data go to stdout, all else to stderr. Exit 0: fine; 1: failed; 2: wrong usage; 130: ended with Ctrl-C.
"""

import os
import signal
import sys
from io import TextIOWrapper
from types import FrameType

from cyclopts import App, CycloptsError

from quintet import __version__

from .door import Failure, guarded
from .interrupts import asked_to_end, hear, heard

INTERRUPTED = 130
TERMINATED = 143

COMMANDS = {
    "demo": ("command_demo:demo", "Make a simulated city, take its meters in, and serve it on this machine."),
    "init": ("command_city:init", "Make a new city folder."),
    "serve": ("command_city:serve", "Serve the city's pages and API on this machine; close its days by night."),
    "doctor": ("command_city:doctor", "Name what is wrong with the city and how to mend it."),
    "ingest": ("command_city:ingest", "Take in meter readings: dataset folders, readings files, Green Button feeds."),
    "close": ("command_city:close", "Close the days that are over: their readings move to the city's lake of files."),
    "registry sync": ("command_registry:registry_sync", "Bring the registry in step with the customer system's list."),
    "registry list": ("command_registry:registry_list", "List the city's places."),
    "registry exchange": ("command_registry:registry_exchange", "Record that a meter was replaced by another."),
    "registry rewire": ("command_registry:registry_rewire", "Correct where a meter counts, from a past moment on."),
    "registry move-in": ("command_registry:registry_move_in", "Record that someone moved into a premise."),
    "registry move-out": ("command_registry:registry_move_out", "Record that whoever lived in a premise moved out."),
    "meters list": ("command_ask:meters_list", "List the channels of the city's meters."),
    "meters show": ("command_ask:meters_show", "Show one channel and where it counts."),
    "intervals": ("command_ask:intervals", "Print one channel's values, with what they are worth."),
    "balance": ("command_ask:balance", "Print supply against use for every carrier."),
    "losses": ("command_books:losses", "Print what each network lost: its head less what hangs below."),
    "facilities": ("command_books:facilities", "Print kWh per comfortable, clean hour of facilities with a service."),
    "conversions": ("command_books:conversions", "Print what each plant took in, gave out and lost."),
    "selfsufficiency": ("command_compute:SELFSUFFICIENCY", "Print how much of its energy a place makes itself."),
    "selfsufficiency compute": (
        "command_compute:selfsufficiency_compute",
        "Compute every definition that the numbers allow; no city is needed.",
    ),
    "selfsufficiency explain": (
        "command_selfsufficiency:selfsufficiency_explain",
        "Say why the definitions differ: one changed assumption a step.",
    ),
    "selfsufficiency pin": (
        "command_selfsufficiency:selfsufficiency_pin",
        "Bind the city to one definition.",
    ),
    "emissions": ("command_compute:EMISSIONS", "Print greenhouse gases, each with its factor and source."),
    "emissions compute": (
        "command_compute:emissions_compute",
        "Compute what an amount emits, with its factor and source; no city is needed.",
    ),
    "emissions gpc": ("command_emissions:emissions_gpc", "Print the inventory as the table of the GPC."),
    "emissions publish": (
        "command_emissions:emissions_publish",
        "Publish a figure: it pins its factor set and what is known now.",
    ),
    "emissions published": ("command_emissions:emissions_published", "List what was published."),
    "emissions compare": (
        "command_emissions:emissions_compare",
        "Set a published figure beside the same one now.",
    ),
    "emissions set": ("command_emissions:emissions_set", "Make a named factor set."),
    "emissions withdraw": ("command_emissions:emissions_withdraw", "Withdraw a row that the city stated."),
    "emissions sets": ("command_emissions:emissions_sets", "List the factor sets."),
    "targets": (
        "command_targets:TARGETS",
        "Print a year's targets: what is known so far, what is left, the pace and the pace needed.",
    ),
    "targets set": ("command_targets:targets_set", "State a target."),
    "targets withdraw": ("command_targets:targets_withdraw", "Withdraw a target from now on."),
    "targets measure": ("command_targets:targets_measure", "State a measure, with its date and place."),
    "targets weather": (
        "command_targets:targets_weather",
        "Print each carrier's change of use with the weather of an earlier period.",
    ),
    "targets change": (
        "command_targets:targets_change",
        "Take a change apart: parts that add up, each with its evidence.",
    ),
    "bill compute": (
        "command_bill:bill_compute",
        "Compute a bill, line by line, by a dated rate card; no city needed.",
    ),
    "bill tiers": (
        "command_bill:bill_tiers",
        "Say what is left before the next tier, and what one more unit costs.",
    ),
    "bill pace": ("command_bill_ahead:bill_pace", "Say which tier comes on which day at the pace so far."),
    "bill budget": ("command_bill_ahead:bill_budget", "Say how much may be used for a budget."),
    "bill incentives": ("command_bill_ahead:bill_incentives", "Say what using less pays: cashback, points, response."),
    "bill show": ("command_bill_city:bill_show", "Show a dwelling's bills of a month."),
    "bill run": ("command_bill_city:bill_run", "Reckon the bills of all dwellings, and say what stands against any."),
    "bill issue": ("command_bill_city:bill_issue", "Freeze a month's bills with their evidence."),
    "bill explain": ("command_bill_city:bill_explain", "Explain an issued bill and what corrections made of it."),
    "bill agree": ("command_bill_city:bill_agree", "State by which contract a utility of a place is billed."),
    "bill terms": ("command_bill_city:bill_terms", "List by which contracts a place is billed."),
    "bill allocate": ("command_bill_city:bill_allocate", "Share a complex' bill over its flats."),
    "bill follow": ("command_bill_city:bill_follow", "Show what using less pays a dwelling so far."),
    "bill cards": ("command_bill:bill_cards", "List the rate cards: from when to when, from where, and how sure."),
    "building visits": ("command_manager:building_visits", "List the meters to visit, in the order of a walk."),
    "building visited": ("command_manager:building_visited", "Write down what was found at a meter."),
    "building close": ("command_manager:building_close", "Show the list that closes a building's month, or close it."),
    "building allocation": (
        "command_manager:building_allocation",
        "Share a complex' bill over its flats, and show how each amount came about.",
    ),
    "vee rules": ("command_vee:vee_rules", "Print the validation rules in force, each threshold with its source."),
    "vee try": ("command_vee:vee_try", "Try one rule or one estimator on numbers typed in; no city is needed."),
    "vee backtest": ("command_backtest:vee_backtest", "Hide sound stretches and say which estimators err least."),
    "vee order": ("command_backtest:vee_order", "Print which estimators are asked in which order, and why."),
    "vee run": ("command_vee_run:vee_run", "Judge the city's days: rules, outages, estimates, exceptions."),
    "vee findings": ("command_vee_run:vee_findings", "Say why values are doubtful: what rules and runs found."),
    "exceptions list": ("command_exceptions:exceptions_list", "List what broke, worst first, and what to do."),
    "exceptions show": ("command_exceptions:exceptions_show", "Show one item with its evidence and history."),
    "exceptions close": ("command_exceptions:exceptions_close", "Close an item by hand, with a reason."),
    "exceptions reopen": ("command_exceptions:exceptions_reopen", "Open a closed item again."),
    "alerts list": (
        "command_alerts:alerts_list",
        "List the alerts of households: leaks, dead meters, base load, tiers, budgets.",
    ),
    "alerts run": ("command_alerts:alerts_run", "Look at dwellings now: raise what is found, end what is over."),
    "alerts dismiss": ("command_alerts:alerts_dismiss", "Call an alert no problem, or take that back."),
    "alerts telling": ("command_alerts:alerts_telling", "Say how telling people is set up, and what was sent."),
    "alerts report": ("command_alerts:alerts_report", "Say how often alerts are false, and what they miss."),
    "backup create": ("command_city:backup_create", "Copy a consistent moment of the city to a new folder."),
    "backup restore": ("command_city:backup_restore", "Make a city folder from a backup."),
    "door mqtt": ("command_door:door_mqtt", "Take readings from an MQTT broker, in a process of its own."),
    "bench": ("command_city:bench", "Measure this machine: `bench spine` runs the main job."),
    "vee report": ("command_vee_report:vee_report", "Say how much of what can go wrong is found, by kind and size."),
    "quarantine list": ("command_quarantine:quarantine_list", "List what could not be taken, and why."),
    "quarantine explain": ("command_quarantine:quarantine_explain", "Say why one row was set aside and what to do."),
    "quarantine count": ("command_quarantine:quarantine_count", "Count what waits, per source and reason."),
    "quarantine replay": ("command_quarantine:quarantine_replay", "Try rows again after the cause was mended."),
    "quarantine dismiss": ("command_quarantine:quarantine_dismiss", "Dismiss rows that nobody needs, with a reason."),
    "quarantine drift": ("command_quarantine:quarantine_drift", "List fields that changed in what a source sends."),
    "edit accept": ("command_edit:edit_accept", "Let values stand as they are, whatever arrives later."),
    "edit reject": ("command_edit:edit_reject", "Let values count no more; they are kept."),
    "edit replace": ("command_edit:edit_replace", "Put other values in the place of what stands or is missing."),
    "edit estimate": ("command_edit:edit_estimate", "Estimate intervals as if nothing had been measured there."),
    "edit undo": ("command_edit:edit_undo", "Take an edit back."),
    "edit list": ("command_edit:edit_list", "List the edits: who changed what, when and why."),
    "audit list": ("command_audit:audit_list", "List the audit records."),
    "audit verify": ("command_audit:audit_verify", "Prove that no audit record was touched."),
    "event add": ("command_event:event_add", "State what happened to a place or a channel: an outage, a flag."),
    "event list": ("command_event:event_list", "List the events that stand."),
    "event withdraw": ("command_event:event_withdraw", "Take an event back."),
    "uncertainty": ("command_uncertainty:UNCERTAINTY", "Print how certain each total is."),
    "uncertainty trials": (
        "command_uncertainty:uncertainty_trials",
        "Hide known meters at random and count how often the interval holds the truth.",
    ),
    "report build": ("command_report:report_build", "Make a report: PDF, XLSX, and a bundle that proves its figures."),
    "report verify": ("command_report:report_verify", "Recompute a bundle to the last digit and name what differs."),
    "report compare": ("command_report:report_compare", "Set several cities side by side, by the same definitions."),
    "export open-data": (
        "command_export:export_open_data",
        "Write aggregates for everybody: whole months, under the privacy floor.",
    ),
    "export green-button": (
        "command_export:export_green_button",
        "Write a dwelling's readings as a Green Button feed (NAESB ESPI 4.0).",
    ),
    "export releases": ("command_export:export_releases", "List the months that were released as open data."),
    "diff": ("command_diff:diff", "Say why a total changed between two moments."),
    "migrate": ("command_migrate:migrate", "Bring the city's store to a version, up or down."),
    "top": ("command_top:top", "Watch the city's owner at work: rates, lag, queue, doors, staleness."),
    "load http": ("command_load:load_http", "Play a simulated city to the HTTP door, and keep what was acknowledged."),
    "load mqtt": ("command_load:load_mqtt", "Play a simulated city to an MQTT broker at QoS 1."),
    "load meters": ("command_load:load_meters", "Write the simulated city's meters as a dataset for `quintet ingest`."),
    "load verify": ("command_load:load_verify", "Prove that each acknowledged reading is there exactly once."),
    "user add": ("command_user:user_add", "Make a user and print the link by which he comes in first."),
    "user list": ("command_user:user_list", "List the users and what they may see."),
    "user disable": ("command_user:user_disable", "Let a user in no more, or again with --back."),
    "user erase": ("command_user:user_erase", "Destroy what is kept of a user, in backups too."),
    "user grant": ("command_user:user_grant", "Give a user a role at a place."),
    "user revoke": ("command_user:user_revoke", "Take a right of a user back."),
    "user link": ("command_user:user_link", "Make a link that lets a user in once."),
    "user reads": ("command_user:user_reads", "List who read of a dwelling, what and why."),
    "invite create": ("command_user:invite_create", "Invite a household to its dwelling's page."),
    "invite list": ("command_user:invite_list", "List the invitations."),
    "invite revoke": ("command_user:invite_revoke", "Take an invitation back."),
    "token create": ("command_token:token_create", "Make a token for a source and print it, this once."),
    "token list": ("command_token:token_list", "List the tokens, without their secrets."),
    "token revoke": ("command_token:token_revoke", "End a token: the next request with it is refused."),
}
"""Every command: where its function is, and its one line of help."""

GROUPS = {
    "registry": "The places and meters of the city.",
    "meters": "The channels of the city's meters.",
    "bill": "Bills by dated rate cards.",
    "building": "The work of a building's manager.",
    "vee": "Validation, estimation and editing.",
    "exceptions": "What broke, ranked by what it costs.",
    "alerts": "What households are told: leaks, dead meters, base load, tiers, budgets.",
    "backup": "Copies of the city.",
    "quarantine": "Readings that could not be taken: why, and how to try them again.",
    "edit": "Values put right by people: by whom, what and why.",
    "report": "Reports that anyone can recompute.",
    "export": "Data for others: open data, Green Button.",
    "audit": "The chain of records of what people did, and its proof.",
    "event": "What happened beside the readings: outages, device flags, vacancies, visits.",
    "load": "A simulated city that sends, and the proof that nothing was lost.",
    "door": "Doors that run in a process of their own: MQTT.",
    "user": "Who may sign in, and what they may see.",
    "invite": "How households get to their page.",
    "token": "Keys of senders and programs: what each may do.",
}


def build() -> App:
    """Build the command tree."""
    top = App(
        name="quintet",
        help="The energy ledger of a city: five utilities' meters, one balance.",
        version=__version__,
        help_format="plaintext",
        result_action="return_value",
    )
    groups = {name: App(name=name, help=text) for name, text in GROUPS.items()}
    for group in groups.values():
        top.command(group)
    for words, (target, text) in COMMANDS.items():
        group, _, name = words.rpartition(" ")
        if group in COMMANDS:
            continue  # a command that has others below it brings them along
        parent = groups[group] if group else top
        parent.command(f"quintet.app.{target}", name=name, help=text)
    return top


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """End in order on SIGTERM, as on Ctrl-C."""
    raise SystemExit(TERMINATED)


def _meant(words: list[str]) -> str:
    """Give the command that words begin with, with a space before it; nothing where they name none."""
    tried = (" ".join(words[:length]) for length in (3, 2, 1))
    return next((f" {name}" for name in tried if name in COMMANDS or name in GROUPS), "")


def _dispatch() -> int:
    try:
        code = build()(exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        sys.stderr.write(f"quintet: {' '.join(str(error).split())} See `quintet{_meant(sys.argv[1:])} --help`.\n")
        return 2
    except BrokenPipeError:
        # the reader of stdout has seen enough (`| head`); keep the interpreter from failing on it once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except RuntimeError:
        if asked_to_end():  # a query of the store that Ctrl-C ended says so in words of its own
            raise KeyboardInterrupt from None
        raise
    return code if isinstance(code, int) else 0


def main() -> int:
    """Run the command line and give its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    hear()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # names are Korean whatever the terminal's locale says; a path that is no text must not end a command
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        outcome = guarded(_dispatch)
    except KeyboardInterrupt:
        heard()
        return INTERRUPTED
    if isinstance(outcome, Failure):
        sys.stderr.write(f"quintet: {outcome.line()}\n")
        return outcome.exit_code
    return outcome


if __name__ == "__main__":
    sys.exit(main())
