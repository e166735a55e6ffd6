"""The mails: a reason to sign in, and nothing about anybody."""

from email.utils import parseaddr

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from monitoring.models import Delivery, Urgency
from patients.models import Clinician

# More than this is a list to be read on the worklist and not in a mail
LINKS_AT_MOST = 5


def send(delivery: Delivery, server: BaseEmailBackend) -> None:
    """Send one mail; raises what the mail server says when it does not take it."""
    with translation.override(delivery.clinician.language):
        mail = compose(delivery)
    mail.connection = server
    mail.send()


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """Write the mail: how many items, and where. No name, number, value, drug or diagnosis."""
    if delivery.urgency == Urgency.PASSWORD:
        links = [way_to_password(delivery.clinician)]
        return _mail(delivery, "password", _("A new password for Soundings"), links, count=1)
    if delivery.urgency == Urgency.OPERATION:
        links = [f"{settings.SITE_URL}{reverse('portal:laboratories')}"]
        return _mail(delivery, "operation", _("A laboratory has fallen silent"), links, count=1)
    # Cover and lead may be one person, who is told of one flag twice
    references = list(
        dict.fromkeys(delivery.alerts.order_by("pk").values_list("flag__reference", flat=True))
    )
    count = len(references)
    if delivery.urgency == Urgency.PROMPT:
        subject = ngettext(
            "An item needs your review", "%(count)d items need your review", count
        ) % {"count": count}
        name = "prompt"
    else:
        subject = _("Your daily summary")
        name = "digest"
    paths = (
        [reverse("portal:flag", args=[reference]) for reference in references]
        if count <= LINKS_AT_MOST
        else [reverse("portal:worklist")]
    )
    links = [f"{settings.SITE_URL}{path}" for path in paths]
    return _mail(delivery, name, subject, links, count=count)


def way_to_password(clinician: Clinician) -> str:
    """Give the address by which this person alone may choose a new password, once."""
    key = default_token_generator.make_token(clinician)
    values = {"uidb36": user_pk_to_url_str(clinician), "key": key}
    return f"{settings.SITE_URL}{reverse('account_reset_password_from_key', kwargs=values)}"


def _mail(
    delivery: Delivery, name: str, subject: str, links: list[str], *, count: int
) -> EmailMultiAlternatives:
    context = {
        "count": count,
        "links": links,
        "leads_to_list": count > LINKS_AT_MOST,
        "subject": subject,
    }
    _display, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    host = sender.rpartition("@")[2]
    mail = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"mails/{name}.txt", context),
        to=[delivery.clinician.email],
        headers={
            "Message-ID": f"<{delivery.message_id}@{host}>",
            "X-Notification-Id": str(delivery.message_id),
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string(f"mails/{name}.html", context), "text/html")
    return mail
