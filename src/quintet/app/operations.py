"""The table of operations: what answers each request, run the same for this process's command and for the socket's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from quintet.pipeline.commit import now_us
from quintet.store.backup import restore_backup
from quintet.store.migration import migrate_store
from quintet.terms.errors import CityError
from quintet.terms.reading import clock

from . import (
    alert_telling,
    answers_alerts,
    answers_audit,
    answers_backtest,
    answers_bills,
    answers_care,
    answers_changes,
    answers_conversions,
    answers_diff,
    answers_edits,
    answers_emissions,
    answers_energy,
    answers_events,
    answers_exceptions,
    answers_facilities,
    answers_findings,
    answers_green_button,
    answers_losses,
    answers_manager,
    answers_open,
    answers_people,
    answers_proof,
    answers_quarantine,
    answers_registry,
    answers_report,
    answers_selfsufficiency,
    answers_status,
    answers_targets,
    answers_tokens,
    answers_tree,
    answers_uncertainty,
    requests,
    requests_alerts,
    requests_bills,
    requests_manager,
    requests_people,
    vee_report,
)
from .answer import Answer, Progress, Step, document_of
from .belongings import with_keys
from .cells import rows_of
from .city import City
from .owner import claim
from .settings import CITY_MARK
from .way_back import said_of_way_back

Operation = Callable[[City, Any, Progress], Answer]

OPERATIONS: dict[type[requests.Request], Operation] = {
    requests.Summary: answers_registry.summary,
    requests.RegistryList: answers_registry.registry_list,
    requests.RegistrySync: answers_registry.registry_sync,
    requests.RegistryExchange: answers_changes.registry_exchange,
    requests.RegistryRewire: answers_changes.registry_rewire,
    requests.MoveIn: answers_changes.registry_move_in,
    requests.MoveOut: answers_changes.registry_move_out,
    requests.MetersList: answers_registry.meters_list,
    requests.MetersShow: answers_registry.meters_show,
    requests.Intervals: answers_energy.intervals,
    requests.Balance: answers_tree.balances,
    requests.Facilities: answers_facilities.facility_service,
    requests.Losses: answers_losses.network_losses,
    requests.Conversions: answers_conversions.plant_conversions,
    requests.SelfSufficiency: answers_selfsufficiency.self_sufficiency,
    requests.SelfSufficiencyExplain: answers_selfsufficiency.selfsufficiency_explain,
    requests.DefinitionPin: answers_selfsufficiency.definition_pin,
    requests.Emissions: answers_emissions.greenhouse_gases,
    requests.EmissionsGpc: answers_emissions.emissions_gpc,
    requests.EmissionsPublish: answers_emissions.emissions_publish,
    requests.EmissionsPublished: answers_emissions.emissions_published,
    requests.EmissionsCompare: answers_emissions.emissions_compare,
    requests.FactorSetMake: answers_emissions.factor_set_make,
    requests.FactorWithdraw: answers_emissions.factor_withdraw,
    requests.FactorSets: answers_emissions.factor_sets,
    requests.TargetsYear: answers_targets.targets_year,
    requests.TargetSet: answers_targets.target_set,
    requests.TargetWithdraw: answers_targets.target_withdraw,
    requests.MeasureState: answers_targets.measure_state,
    requests.TargetsWeather: answers_targets.targets_weather,
    requests.TargetsChange: answers_targets.targets_change,
    requests.Doctor: answers_care.doctor,
    requests.Ingest: answers_care.ingest,
    requests.BackupCreate: answers_care.backup_create,
    requests.CloseDays: answers_care.close_days,
    requests.QuarantineList: answers_quarantine.quarantine_list,
    requests.QuarantineExplain: answers_quarantine.quarantine_explain,
    requests.QuarantineCount: answers_quarantine.quarantine_count,
    requests.QuarantineReplay: answers_quarantine.quarantine_replay,
    requests.QuarantineDismiss: answers_quarantine.quarantine_dismiss,
    requests.QuarantineDrift: answers_quarantine.quarantine_drift,
    requests.TokenCreate: answers_tokens.token_create,
    requests.TokenList: answers_tokens.token_list,
    requests.TokenRevoke: answers_tokens.token_revoke,
    requests.LoadVerify: answers_proof.load_verify,
    requests.Status: answers_status.status,
    requests.VeeRun: answers_exceptions.vee_run,
    requests.VeeFindings: answers_findings.vee_findings,
    requests.ExceptionsList: answers_exceptions.exceptions_list,
    requests.ExceptionsShow: answers_exceptions.exceptions_show,
    requests.ExceptionsClose: answers_exceptions.exceptions_close,
    requests.ExceptionsReopen: answers_exceptions.exceptions_reopen,
    requests.EditMake: answers_edits.edit_make,
    requests.EditUndo: answers_edits.edit_undo,
    requests.EditList: answers_edits.edit_list,
    requests.AuditList: answers_audit.audit_list,
    requests.AuditVerify: answers_audit.audit_verify,
    requests.EventAdd: answers_events.event_add,
    requests.EventList: answers_events.event_list,
    requests.EventWithdraw: answers_events.event_withdraw,
    requests.Diff: answers_diff.diff,
    requests.Uncertainty: answers_uncertainty.uncertainty,
    requests.UncertaintyTrials: answers_uncertainty.uncertainty_trials,
    requests.OpenData: answers_open.open_data,
    requests.OpenRelease: answers_open.open_release,
    requests.OpenReleases: answers_open.open_releases,
    requests.GreenButton: answers_green_button.green_button,
    requests.ReportFigures: answers_report.report_figures,
    requests.VeeReport: vee_report.vee_report,
    requests.Backtest: answers_backtest.backtest,
    requests.EstimationOrder: answers_backtest.estimation_order,
    requests_alerts.AlertsList: answers_alerts.alerts_list,
    requests_alerts.AlertsRun: answers_alerts.alerts_run,
    requests_alerts.AlertsDismiss: answers_alerts.alerts_dismiss,
    requests_alerts.AlertsReport: answers_alerts.alerts_report,
    requests_alerts.AlertsTelling: alert_telling.alerts_telling,
    requests_bills.BillShow: answers_bills.bill_show,
    requests_bills.BillRun: answers_bills.bill_run,
    requests_bills.BillIssue: answers_bills.bill_issue,
    requests_bills.BillExplain: answers_bills.bill_explain,
    requests_bills.BillAgree: answers_bills.bill_agree,
    requests_bills.BillTerms: answers_bills.bill_terms,
    requests_bills.BillAllocate: answers_bills.bill_allocate,
    requests_bills.BillFollow: answers_bills.bill_follow,
    requests_manager.BuildingWalk: answers_manager.building_walk,
    requests_manager.BuildingVisited: answers_manager.building_visited,
    requests_manager.BuildingMonth: answers_manager.building_month,
    requests_manager.BuildingSigned: answers_manager.building_signed,
    requests_manager.BuildingShared: answers_manager.building_shared,
    requests_people.UserAdd: answers_people.user_add,
    requests_people.UserList: answers_people.user_list,
    requests_people.UserDisable: answers_people.user_disable,
    requests_people.UserErase: answers_people.user_erase,
    requests_people.UserGrant: answers_people.user_grant,
    requests_people.UserRevoke: answers_people.user_revoke,
    requests_people.UserLink: answers_people.user_link,
    requests_people.UserReads: answers_people.user_reads,
    requests_people.InviteCreate: answers_people.invite_create,
    requests_people.InviteList: answers_people.invite_list,
    requests_people.InviteRevoke: answers_people.invite_revoke,
    requests_people.DemoResident: answers_people.demo_resident,
}


def answer_request(city: City, request: requests.AnyRequest, progress: Progress) -> Answer:
    """Run one operation; raises QuintetError as it does."""
    return OPERATIONS[type(request)](city, request, progress)


def create_city(folder: Path, *, name_en: str, name_ko: str, timezone: str, simulated: bool = False) -> None:
    """Make a new city in a folder that is none yet; raises CityError where it cannot, BadInput for an unknown clock."""
    clock(timezone)
    refuse_what_exists(folder)
    folder.mkdir(parents=True, exist_ok=True)
    owner = claim(folder, "command")
    if owner is None:
        raise CityError("another process is making a city here.", code="city_exists", place=str(folder))
    try:
        City.create(folder, name_en=name_en, name_ko=name_ko, timezone=timezone, simulated=simulated).close()
    finally:
        owner.release()


def restore_city(source: Path, folder: Path, progress: Progress, keys: Path | None = None) -> Answer:
    """Make a city folder from a backup, with the keys of people where they are named.

    Raises CityError where a city is already, BadInput for what is no backup.
    """
    refuse_what_exists(folder)
    progress(Step("checking and copying"))
    facts: dict[str, Any] = {"restored": str(folder), "files": restore_backup(source, folder)}
    if keys is not None:
        facts["erased_since"] = with_keys(folder, keys, now_us())
    columns = list(facts)
    return Answer(columns, rows_of(columns, [facts]), document_of(facts))


def migrate_city(folder: Path, target: int | None) -> Answer:
    """Bring a city's store to a version while nobody has it; raises CityError where another process does."""
    if not (folder / CITY_MARK).is_file():
        raise CityError("is no city.", code="no_city", place=str(folder), remedy="Name the city folder with --city.")
    owner = claim(folder, "command")
    if owner is None:
        raise CityError(
            "another process has this city open.",
            code="city_busy",
            place=str(folder),
            remedy="Stop `serve` first: a store is migrated while nobody reads or writes it.",
        )
    try:
        before, after = migrate_store(folder, target)
    finally:
        owner.release()
    facts = {"before": before, "after": after}
    columns = list(facts)
    notes = said_of_way_back(before, after)
    return Answer(columns, rows_of(columns, [facts]), document_of(facts), numbers=columns, notes=notes)


def refuse_what_exists(folder: Path) -> None:
    """Raise CityError for a folder that already is a city, or a path that is no folder."""
    if (folder / CITY_MARK).exists():
        raise CityError(
            "is a city already.",
            code="city_exists",
            place=str(folder),
            remedy="Use it with --city, or choose another folder; nothing was changed.",
        )
    if folder.exists() and not folder.is_dir():
        raise CityError("is no folder.", code="no_folder", place=str(folder), remedy="Choose another path.")
