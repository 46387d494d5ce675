"""The variables of alert channels: what is taken, and what is refused without telling it."""

import pytest

from scriptrunner.settings import Settings, SettingsError, load_settings
from scriptrunner.settings.alerting import read_channels
from scriptrunner.settings.describe import describe_settings


def test_every_variable_reaches_its_setting(tmp_path):
    password = tmp_path / "password"
    password.write_text("hidden")
    channels = tmp_path / "channels.toml"
    channels.write_text('[channels]\nops = "json://x/"\n')
    settings = load_settings(
        {
            "WEBAPI_WEBHOOK_HOSTS": "chat.example, Chat.Example:8443",
            "WEBAPI_WEBHOOK_INTERNAL_HOSTS": "chat.lan:8065",
            "WEBAPI_SLACK_WEBHOOK": "https://hooks.slack.com/services/x",
            "WEBAPI_ALERT_WEBHOOK": "http://chat.lan:8065/hooks/x",
            "WEBAPI_SMTP_HOST": "mail.example",
            "WEBAPI_SMTP_PORT": "2525",
            "WEBAPI_SMTP_TLS": "none",
            "WEBAPI_SMTP_USER": "alerts",
            "WEBAPI_SMTP_PASSWORD_FILE": str(password),
            "WEBAPI_ALERT_EMAIL_FROM": "runner@example.com",
            "WEBAPI_ALERT_EMAIL_TO": "a@example.com, b@example.com",
            "WEBAPI_ALERT_CHANNELS": str(channels),
        }
    )
    assert settings.webhook_hosts == ("chat.example", "chat.example:8443")
    assert settings.webhook_internal_hosts == ("chat.lan:8065",)
    assert settings.slack_webhook == "https://hooks.slack.com/services/x"
    assert settings.alert_webhook == "http://chat.lan:8065/hooks/x"
    assert (settings.smtp_host, settings.smtp_port) == ("mail.example", 2525)
    assert (settings.smtp_tls, settings.smtp_user) == ("none", "alerts")
    assert settings.smtp_password_file == password
    assert settings.alert_email_from == "runner@example.com"
    assert settings.alert_email_to == ("a@example.com", "b@example.com")
    assert settings.alert_channels == channels
    assert Settings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_WEBHOOK", "hooks.slack.com/hidden"),
        ("SLACK_WEBHOOK", "https://user:hidden@hooks.slack.com/"),
        ("ALERT_WEBHOOK", "ftp://a.example/hidden"),
        ("ALERT_WEBHOOK", "https://a.example:port/hidden"),
        ("ALERT_WEBHOOK", "https://a.example/hidden\nX: y"),
        ("WEBHOOK_HOSTS", "https://a.example"),
        ("WEBHOOK_HOSTS", "*.example"),
        ("WEBHOOK_INTERNAL_HOSTS", "a.example/x"),
        ("SMTP_HOST", "a b"),
        ("SMTP_PORT", "0"),
        ("SMTP_TLS", "maybe"),
        ("SMTP_PASSWORD_FILE", "/nowhere/at/all"),
        ("ALERT_EMAIL_FROM", "nobody"),
        ("ALERT_EMAIL_TO", "a@example.com, b"),
        ("ALERT_EMAIL_TO", "a@example.com\r\nBcc: x@example.com"),
        ("ALERT_CHANNELS", "/nowhere.toml"),
    ],
)
def test_what_cannot_be_used_is_an_error_at_start(name, value):
    with pytest.raises(SettingsError) as caught:
        load_settings({f"WEBAPI_{name}": value})
    assert f"WEBAPI_{name}" in caught.value.message
    assert "hidden" not in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "ops = 1",
        "[channels]\nops = 1",
        "[channels]\nops = []",
        "[channels]\nops = 'hidden'",
        "[channels]\nslack = 'json://hidden'",
        "[channels]\nconsole = 'json://hidden'",
        "[channels]\n'a b' = 'json://hidden'",
        "[channels]\nops = 'json://hidden'\n[more]",
        "not toml: hidden",
    ],
)
def test_a_file_of_channels_of_another_form_is_refused(tmp_path, text):
    file = tmp_path / "channels.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings({"WEBAPI_ALERT_CHANNELS": str(file)})
    assert "hidden" not in caught.value.message


def test_a_channel_may_have_several_addresses(tmp_path):
    file = tmp_path / "channels.toml"
    file.write_text("[channels]\nall = ['json://a/', 'json://b/']\none = 'json://c/'\n")
    assert read_channels(file) == {
        "all": ("json://a/", "json://b/"),
        "one": ("json://c/",),
    }


def test_secrets_are_shown_nowhere():
    environ = {
        "WEBAPI_SLACK_WEBHOOK": "https://hooks.slack.com/hidden",
        "WEBAPI_ALERT_WEBHOOK": "https://a.example/hidden",
    }
    settings = load_settings(environ)
    assert "hidden" not in repr(settings)
    assert "hidden" not in str(describe_settings(settings, environ))
