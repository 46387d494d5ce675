"""Every secret here is made up, and put together so that nobody takes it for a real one."""

import pytest

from scriptrunner.engine.scans.secret_scan import mask, mask_line, scan

AWS_ID = "AKIA" + "IOSFODNN7EXAMPLE"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY"
GITHUB = "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789"
SLACK = "xoxb-" + "123456789012-123456789012-abcdefghijklmnopqrstuvwx"
STRIPE = "sk_live_" + "abcdefghijklmnopqrstuvwx"
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."
    "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
)
PRIVATE = "-----BEGIN RSA " + "PRIVATE KEY-----"
RANDOM = "Zx8vQ2mN7bR4tY6uI9oP1aS3dF5gH0jKlXcVbNwE"


def found(line: str) -> list[tuple[str, str]]:
    report = scan(line.encode())
    return [(each["id"], each["severity"]) for each in report["findings"]]


@pytest.mark.parametrize(
    ("line", "name", "severity"),
    [
        (f'key = "{AWS_ID}"', "aws_key", "HIGH"),
        (f'aws_secret_access_key = "{AWS_SECRET}"', "aws_secret", "CRITICAL"),
        (f"client = make('{GITHUB}')", "github_token", "CRITICAL"),
        (f'TOKEN = "github_pat_{"a1B2" * 8}"', "github_token", "CRITICAL"),
        (f'send(token="{SLACK}")', "slack_token", "CRITICAL"),
        (f'KEY = """{PRIVATE}', "private_key", "CRITICAL"),
        ('db = "postgresql+psycopg://u:s3cret@h/x"', "database_url", "CRITICAL"),
        ('db = "mongodb+srv://u:s3cret@h/x"', "database_url", "CRITICAL"),
        ('REDIS = "redis://default:s3cret@h:6379"', "database_url", "CRITICAL"),
        ('url = "https://u:s3cret@example.org"', "password", "HIGH"),
        (f'stripe.key = "{STRIPE}"', "api_key", "HIGH"),
        ('api_key = "1234567890abcdef"', "api_key", "HIGH"),
        ('headers["X-Api-Key"] = "1234567890abcdef"', "api_key", "HIGH"),
        ('password = "hunter2"', "password", "HIGH"),
        ("connect(user='me', password='hunter2')", "password", "HIGH"),
        ('settings["password"] = "hunter2"', "password", "HIGH"),
        ('{"db_passwd": "hunter2"}', "password", "HIGH"),
        ('password: str = "hunter2"', "password", "HIGH"),
        ('if password == "hunter2":', "password", "HIGH"),
        ('encryption_key = "c2VjcmV0"', "encryption_key", "HIGH"),
        ('SECRET_KEY = "django-insecure-x"', "encryption_key", "HIGH"),
        (f'bearer = "{JWT}"', "jwt_token", "MEDIUM"),
        ('client_secret = "abcdef"', "generic_secret", "MEDIUM"),
        (f'session_token = "{RANDOM}"', "generic_secret", "MEDIUM"),
        (f'auth = "{"0a1b2c3d4e5f" * 3}"', "generic_secret", "MEDIUM"),
    ],
)
def test_a_secret_is_found_once(line, name, severity):
    assert found(line) == [(name, severity)]


@pytest.mark.parametrize(
    "line",
    [
        'password = os.environ["DB_PASSWORD"]',
        'password = os.getenv("DB_PASSWORD", "")',
        'password = os.environ.get("DB_PASSWORD", "x")',
        'password = getpass.getpass("Password: ")',
        'password = config["password"]',
        'password = f"{prefix}{number}"',
        'password = ""',
        'password = "changeme"',
        'password = "CHANGE_ME"',
        'password = "your-password-here"',
        'password = "<password>"',
        'password = "${PASSWORD}"',
        'password = "{{ password }}"',
        'password = "********"',
        'password = "xxxx"',
        'password = "example"',
        'fields = {"password": "password", "api_key": "API key:"}',
        'PASSWORD_ENV = "DB_PASSWORD"',
        'password_file = "/run/secrets/password"',
        'token_url = "https://example.org/token"',
        'db = "postgresql://user:{password}@host/db"',
        'db = "postgresql://user:${PASSWORD}@host/db"',
        'db = "postgresql://user:<password>@host/db"',
        'db = "postgresql://host/db"',
        f'checksum = "{"0a1b2c3d4e5f" * 3}"',
        f'label = "{RANDOM}"',
        "key = 5",
        'print("the secret of success")',
    ],
)
def test_placeholders_and_look_ups_are_no_secrets(line):
    assert found(line) == []


def test_a_finding_says_where_and_shows_at_most_four_characters():
    report = scan(f'import os\n\nkey = "{AWS_ID}"\npassword = "hunter2"\n'.encode())
    assert report["status"] == "findings"
    first, second = sorted(report["findings"], key=lambda each: each["line"])
    assert first == {
        "id": "aws_key",
        "severity": "HIGH",
        "line": 3,
        "column": 8,
        "message": "AWS access key id",
        "masked_value": "AKIA*****",
        "confidence": 0.95,
    }
    assert (second["line"], second["masked_value"]) == (4, "h*****")
    assert AWS_ID not in str(report)
    assert "hunter2" not in str(report)


@pytest.mark.parametrize(
    ("value", "masked"),
    [("abc", "*****"), ("abcd", "a*****"), ("abcdefgh" * 9, "abcd*****")],
)
def test_short_secrets_show_less(value, masked):
    assert mask(value) == masked


def test_a_line_is_masked_as_a_whole():
    line = f'f("{AWS_ID}", password="hunter2")'
    assert mask_line(line) == 'f("AKIA*****", password="h*****")'


def test_several_secrets_of_one_line_are_found():
    assert found(f'x = {{"password": "hunter2", "id": "{AWS_ID}"}}') == [
        ("password", "HIGH"),
        ("aws_key", "HIGH"),
    ]


def test_a_comment_suppresses_and_is_counted():
    report = scan(
        b'password = "hunter2"  # nosec\n'
        b'password = "hunter2"  # nosec password\n'
        b'password = "hunter2"  # nosec aws_key\n'
        b'password = "hunter2"  # pragma: allowlist secret\n'
    )
    assert [each["line"] for each in report["findings"]] == [3, 4]
    assert report["suppressed"] == 2


def test_bytes_that_are_no_text_hide_nothing():
    report = scan(b'\xff\xfe\x00\npassword = "hunter2"\n')
    assert [each["line"] for each in report["findings"]] == [2]


def test_no_detector_is_asked_to_verify_over_the_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a scan must not use the network")

    monkeypatch.setattr("requests.Session.request", refuse)
    source = "\n".join([GITHUB, SLACK, STRIPE, AWS_ID])
    assert len(scan(source.encode())["findings"]) == 4
