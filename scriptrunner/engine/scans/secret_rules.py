"""Which detector finds what: names, severities and messages of the secret scan.

Nothing of detect-secrets is loaded here; its classes are named by module and class.
"""

import re
from typing import NamedTuple


class Rule(NamedTuple):
    """What a finding is called and how bad it is."""

    name: str
    severity: str
    message: str
    #: 0 to 1: how sure the detector is that this is a secret and no look-alike.
    confidence: float


class Detector(NamedTuple):
    """A detector of detect-secrets whose every match is a finding of one rule."""

    module: str
    class_name: str
    rule: Rule


AWS_KEY = Rule("aws_key", "HIGH", "AWS access key id", 0.95)
AWS_SECRET = Rule("aws_secret", "CRITICAL", "AWS secret access key", 0.9)
DATABASE_URL = Rule("database_url", "CRITICAL", "Database URL with a password", 0.9)
URL_PASSWORD = Rule("password", "HIGH", "Password in a URL", 0.85)
JWT = Rule("jwt_token", "MEDIUM", "JSON web token", 0.8)
HIGH_ENTROPY = Rule(
    "generic_secret", "MEDIUM", "Random-looking text under a telling name", 0.5
)
GITHUB = Rule("github_token", "CRITICAL", "GitHub token", 0.95)


def _api_key(of: str) -> Rule:
    return Rule("api_key", "HIGH", f"{of} key", 0.9)


def _cloud(of: str) -> Rule:
    return Rule("generic_secret", "CRITICAL", f"{of} secret", 0.85)


OPENAI = _api_key("OpenAI")

#: Detectors whose whole match is the secret, the most specific first.
DETECTORS = (
    Detector(
        "private_key",
        "PrivateKeyDetector",
        Rule("private_key", "CRITICAL", "Private key", 0.99),
    ),
    Detector("github_token", "GitHubTokenDetector", GITHUB),
    Detector(
        "slack", "SlackDetector", Rule("slack_token", "CRITICAL", "Slack token", 0.95)
    ),
    Detector("azure_storage_key", "AzureStorageKeyDetector", _cloud("Azure storage")),
    Detector("ibm_cloud_iam", "IbmCloudIamDetector", _cloud("IBM cloud")),
    Detector("ibm_cos_hmac", "IbmCosHmacDetector", _cloud("IBM object storage")),
    Detector("cloudant", "CloudantDetector", _cloud("Cloudant")),
    Detector("softlayer", "SoftlayerDetector", _cloud("SoftLayer")),
    Detector("artifactory", "ArtifactoryDetector", _api_key("Artifactory")),
    Detector("discord", "DiscordBotTokenDetector", _api_key("Discord")),
    Detector("gitlab_token", "GitLabTokenDetector", _api_key("GitLab")),
    Detector("mailchimp", "MailchimpDetector", _api_key("Mailchimp")),
    Detector("npm", "NpmDetector", _api_key("npm")),
    Detector("openai", "OpenAIDetector", OPENAI),
    Detector("pypi_token", "PypiTokenDetector", _api_key("PyPI")),
    Detector("sendgrid", "SendGridDetector", _api_key("SendGrid")),
    Detector("square_oauth", "SquareOAuthDetector", _api_key("Square")),
    Detector("stripe", "StripeDetector", _api_key("Stripe")),
    Detector("telegram_token", "TelegramBotTokenDetector", _api_key("Telegram")),
    Detector("twilio", "TwilioKeyDetector", _api_key("Twilio")),
)
#: Rule by the name that a text is assigned to; the first that fits.
_BY_VARIABLE = (
    (
        re.compile(r"aws.*secret|secret_?access_?key"),
        Rule("aws_secret", "CRITICAL", "AWS secret access key", 0.7),
    ),
    (
        re.compile(r"passw|passwd|pwd|passphrase|contrase|(^|_)pass($|_)"),
        Rule("password", "HIGH", "Password in plain text", 0.7),
    ),
    (
        re.compile(
            r"encrypt|cipher|fernet|(^|_)aes|secret_?key|priv(ate)?_?key"
            r"|signing_?key|master_?key|hmac_?key"
        ),
        Rule("encryption_key", "HIGH", "Encryption key", 0.7),
    ),
    (
        re.compile(r"(api|auth|service|account|client|access|db|database)[_-]?key"),
        Rule("api_key", "HIGH", "API key", 0.7),
    ),
    (
        re.compile(r"secret"),
        Rule("generic_secret", "MEDIUM", "Secret in plain text", 0.6),
    ),
)
#: Names whose random-looking values are worth a finding.
TELLING = re.compile(
    r"secret|token|key|passw|pwd|credential|auth|private|signature|salt"
)
#: Names of something else than the secret: where it is, what it is called.
_ABOUT = re.compile(
    r"(file|filename|path|dir|url|uri|host|header|name|field|param|label|env|var"
    r"|prompt|message|msg|title|text|hint|help|error|regex|pattern|policy|length|len"
    r"|min|max|type|version|id|ids)$"
)
#: Characters of the longest placeholder.
MAX_PLACEHOLDER = 200
#: Values that stand for a secret to be filled in, or name the place where it is.
_PLACEHOLDER = re.compile(
    r"""
    [\W_x]*                                      # nothing, ****, ----, xxxx
    | <.*> | \{.*\} | \[.*\] | .*\$\{.*\}.* | .*\{\{.*\}\}.* | \$\w+ | %\(?\w*\)?s
    | .*(change|replace|fill|insert)[-_ ]?(me|this|in|here).*
    | .*(placeholder|redacted|dummy|example|sample|todo|fixme|not[-_ ]?set).*
    | (enter|your|my|the|some|a)[-_ ].*
    | (your|my)(password|passwd|secret|token|key|apikey)\w*
    | (db|user|admin)?[-_]?(password|passwd|pwd|pass|secret|token|key|credentials?)
    | (api|secret|access|private|client|auth)[-_ ]?(key|token|secret)
    | none | null | true | false | empty | default | unknown | hidden | masked
    | .*[:?]\s*                                  # a prompt
    | https?://.* | [./~]+[\w./-]*/[\w./-]+      # an address, a path
    """,
    re.VERBOSE | re.IGNORECASE,
)
_VARIABLE_NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
#: Placeholders within a URL: what is filled in later.
URL_PLACEHOLDER = re.compile(
    r"[<{$%\[].*|\*+|x+|\.+|.*change[-_ ]?me.*|your[-_ ]?\w+", re.IGNORECASE
)
#: Schemes of databases and brokers.
DATABASE_SCHEME = re.compile(
    r"(postgres|postgresql|mysql|mariadb|mssql|oracle|sqlserver|db2|cockroachdb|clickhouse"
    r"|mongodb|redis|rediss|amqp|amqps|cassandra|couchdb|neo4j|bolt|snowflake|redshift"
    r"|jdbc:\w+)([+]\w+)*$",
    re.IGNORECASE,
)


def is_placeholder(value: str) -> bool:
    """Return whether ``value`` only stands for a secret."""
    if len(value) > MAX_PLACEHOLDER:
        return False
    return bool(_PLACEHOLDER.fullmatch(value) or _VARIABLE_NAME.fullmatch(value))


def rule_for_variable(name: str) -> Rule | None:
    """Return the rule for a text that is assigned to ``name``, None if it tells nothing."""
    lowered = name.lower()
    if _ABOUT.search(lowered):
        return None
    for pattern, rule in _BY_VARIABLE:
        if pattern.search(lowered):
            return rule
    return None
