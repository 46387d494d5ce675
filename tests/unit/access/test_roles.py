import pytest

from scriptrunner.access import roles
from scriptrunner.access.first_token import command_line_caller
from scriptrunner.access.models import Caller, ForbiddenError, Proof, Role
from scriptrunner.access.roles import Permission

ADMIN = command_line_caller()
NOBODY = Caller(
    principal="anonymous",
    role=Role.NONE,
    is_local=False,
    peer="",
    proof=Proof.ANONYMOUS,
)


def test_route_without_permission_stops_the_start() -> None:
    with pytest.raises(roles.MissingPermissionError, match="get_secret, open_door"):
        roles.check_routes(["get_health", "open_door", "get_secret"])


def test_all_known_routes_pass() -> None:
    roles.check_routes(roles.PERMISSION_BY_ROUTE)


def test_only_liveness_and_the_way_in_are_for_anybody() -> None:
    anybody = {
        name
        for name, permission in roles.PERMISSION_BY_ROUTE.items()
        if permission is Permission.ANYBODY
    }

    assert anybody == {"get_health", "get_login_page", "get_login_style", "log_in"}


@pytest.mark.parametrize("permission", sorted(set(Permission) - {Permission.ANYBODY}))
def test_admin_may_everything_and_nobody_nothing(permission: Permission) -> None:
    roles.require_permission(ADMIN, permission)

    with pytest.raises(ForbiddenError, match=permission.value):
        roles.require_permission(NOBODY, permission)


def test_every_role_has_its_permissions() -> None:
    assert set(roles.PERMISSIONS_BY_ROLE) == set(Role)
    assert roles.list_permissions(ADMIN) == sorted(
        set(Permission) - {Permission.ANYBODY}
    )


def test_unknown_route_has_no_permission() -> None:
    with pytest.raises(roles.MissingPermissionError):
        roles.permission_for("open_door")
