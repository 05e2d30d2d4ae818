"""The page of one's own account: password, passkeys, tokens, consents, signing out and leaving; filled by own.js."""

PARTS = ("password", "passkeys", "tokens", "consents", "out", "leave")
"""The parts of the page in their order; each has a line that says what came of a change."""


def own_account(text: dict[str, str]) -> str:
    """Write the page's body; `text` holds its strings, ready for HTML. What an account has not stays hidden."""
    ways = f'<p class="ways"><a href="/home" id="on">{text["account.on"]}</a></p>'
    return f'<p class="note" id="who">{text["wait"]}</p>{ways}' + "".join(_part(text, one) for one in PARTS)


def _part(text: dict[str, str], name: str) -> str:
    lead = f'<p class="note">{text[f"account.{name}.lead"]}</p>'
    body = {
        "password": _password,
        "passkeys": lambda said: _list("passkeys") + _button(said, "new-passkey", "account.passkeys.do"),
        "tokens": _tokens,
        "consents": _consents,
        "out": lambda said: (
            _button(said, "sign-out", "account.out.do") + _button(said, "sign-out-others", "account.out.others")
        ),
        "leave": _leave,
    }[name](text)
    return (
        f'<section id="{name}" hidden aria-labelledby="{name}-title"><h2 id="{name}-title">'
        f'{text[f"account.{name}"]}</h2>{lead}{body}<p class="told" role="status"></p></section>'
    )


def _password(text: dict[str, str]) -> str:
    return (
        "<form>"
        + _input(text, "old", "password", "current-password")
        + _input(text, "password", "password", "new-password", key="new", hint=True)
        + f'<button class="main" type="submit">{text["account.password.do"]}</button></form>'
    )


def _tokens(text: dict[str, str]) -> str:
    ways = "".join(_choice(text, "may", one, f"account.may.{one}", checked=one == "read") for one in MAY)
    fields = _input(text, "name", "text", "off", key="token") + _fieldset(text, "account.may", ways)
    return _list("tokens") + _making(text, "account.tokens.make", fields + _input(text, "until", "date", "off"))


def _consents(text: dict[str, str]) -> str:
    fields = "".join(_input(text, name, "text", "off") for name in ("party", "purpose"))
    fields += _fieldset(text, "account.utilities", "", "utilities") + _input(text, "until", "date", "off")
    return _list("consents") + _making(text, "account.consents.make", fields)


def _leave(text: dict[str, str]) -> str:
    points = "".join(f"<li>{text[f'account.leave.{one}']}</li>" for one in ("gone", "stays", "ends", "back"))
    return (
        f"<ul>{points}</ul><details><summary>{text['account.leave.open']}</summary><form>"
        + _input(text, "password", "password", "current-password", key="again")
        + f'<p class="note bare" hidden>{text["account.leave.bare"]}</p>'
        + f'<button class="grave" type="submit">{text["account.leave.do"]}</button></form></details>'
    )


MAY = ("read", "live", "mqtt")
"""What a household's token may be for."""


def _making(text: dict[str, str], title: str, fields: str) -> str:
    return (
        f"<details><summary>{text[title]}</summary><form>{fields}"
        f'<button class="main" type="submit">{text[f"{title}.do"]}</button></form></details>'
    )


def _list(name: str) -> str:
    return f'<ul class="rows" data-list="{name}"></ul>'


def _fieldset(text: dict[str, str], title: str, choices: str, name: str = "") -> str:
    mark = f' data-choices="{name}"' if name else ""
    return f"<fieldset{mark}><legend>{text[title]}</legend>{choices}</fieldset>"


def _choice(text: dict[str, str], name: str, value: str, key: str, *, checked: bool) -> str:
    on = " checked" if checked else ""
    return (
        f'<label class="choice"><input type="checkbox" name="{name}" value="{value}"{on}>'
        f"<span>{text[key]}</span></label>"
    )


def _input(text: dict[str, str], name: str, kind: str, fill: str, *, key: str = "", hint: bool = False) -> str:
    said = f"field.{key or name}"
    below = f"<small>{text[f'{said}.hint']}</small>" if hint else ""
    most = ' maxlength="80"' if kind == "text" else ""
    return (
        f"<label><span>{text[said]}</span>{below}"
        f'<input name="{name}" type="{kind}" autocomplete="{fill}" required{most}></label>'
    )


def _button(text: dict[str, str], name: str, key: str) -> str:
    return f'<button type="button" id="{name}">{text[key]}</button>'
