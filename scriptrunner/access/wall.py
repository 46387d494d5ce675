"""All of access in front of an application, in the one right order."""

from dataclasses import dataclass

from scriptrunner.access.answers import App
from scriptrunner.access.limits import HeaderLimits, IdleBody, PostRate
from scriptrunner.access.peer import PeerLookup
from scriptrunner.access.protection import LoginPage, Protection
from scriptrunner.access.rates import Rate, Rates
from scriptrunner.access.rules import LocalRules
from scriptrunner.access.service import AccessService
from scriptrunner.settings import Settings

#: Logins that one address may try: five at once, five a minute.
LOGIN_RATE = Rate("login", 5 / 60, 5)
#: File in the data folder in which all workers count requests.
RATES_FILE = "rates"


@dataclass(frozen=True, slots=True)
class Wall:
    """What ``build_wall`` made; ``close`` it when the application ends."""

    #: Put this in front of the application.
    app: App
    #: For banners: the rules as they are in force.
    rules: LocalRules
    _rates: Rates
    _lookup: PeerLookup

    def close(self) -> None:
        """Let go of files and sockets; the next request would open them again."""
        self._rates.close()
        self._lookup.close()


def build_wall(
    app: App,
    *,
    service: AccessService,
    settings: Settings,
    login_page: LoginPage | None = None,
) -> Wall:
    """Put protected mode and limits in front of ``app``. Opens nothing yet.

    Args:
        app: What answers known callers; ``scope["state"]["caller"]`` is set for it.
        service: Proves tokens and cookies.
        settings: Hosts, roles, rules and rates.
        login_page: HTML for browsers that are not known, instead of a JSON 401.
    """
    lookup = PeerLookup()
    rules = LocalRules(settings, lookup=lookup)
    rates = Rates(settings.data_dir / RATES_FILE)
    post = Rate("post", settings.post_rate_per_second, settings.post_burst)
    inner = PostRate(IdleBody(app), rates=rates, post=post, login=LOGIN_RATE)
    outer = Protection(inner, service=service, rules=rules, login_page=login_page)
    return Wall(HeaderLimits(outer), rules, rates, lookup)
