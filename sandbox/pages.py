"""Pages that stand where an answer should: blocks, denials, errors."""

from sandbox.faults import Fault
from sandbox.site import HTML, Reply, reply_html

IMPERVA = (
    "<!DOCTYPE html><html><head><title>Pardon Our Interruption</title></head><body><h1>Pardon Our Interruption</h1>"
    "<p>As you were browsing something about your browser made us think you were a bot.</p></body></html>"
)
IMPERVA_SCRIPT = (
    '<html><head><META NAME="robots" CONTENT="noindex,nofollow"><script src="/_Incapsula_Resource?SWJIYLWA=5074a744'
    'e2e3d891814e9a2dace20bd4,719d34d31c8e3a6e6fffd425f7e032f3"></script></head><body></body></html>'
)
IMPERVA_INCIDENT = (
    '<html><head><META NAME="ROBOTS" CONTENT="NOINDEX, NOFOLLOW"></head><body><iframe id="main-iframe">Request '
    "unsuccessful. Incapsula incident ID: 1285000790123456789-57301234567890</iframe></body></html>"
)
CLOUDFLARE = (
    '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body><noscript>'
    'Enable JavaScript and cookies to continue</noscript><script src="/cdn-cgi/challenge-platform/h/g"></script>'
    "<p>Checking your browser before accessing. Ray ID: 8f2c11d0aa</p></body></html>"
)
AKAMAI = (
    "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n \nYou don&#39;t have "
    "permission to access this resource on this server.<P>\n"
    "Reference&#32;&#35;18&#46;9c3e1102&#46;1789000000&#46;4d5e6f70\n<P>\n"
    "https&#58;&#47;&#47;errors&#46;edgesuite&#46;net&#47;18&#46;9c3e1102\n</BODY>\n</HTML>\n"
)
FORMS = {
    "imperva": IMPERVA,
    "imperva_script": IMPERVA_SCRIPT,
    "imperva_incident": IMPERVA_INCIDENT,
    "akamai": AKAMAI,
    "cloudflare": CLOUDFLARE,
}
PLAIN = "<html><head><title>We'll be right back</title></head><body><h1>Down for maintenance</h1></body></html>"


def of_fault(fault: Fault, denial: str) -> Reply | None:
    """The answer that a fault gives instead of the site's; None where it changes another."""
    if fault.kind == "block":
        return reply_html(FORMS[fault.form or "imperva"], fault.status or 200)
    if fault.kind == "html":
        return reply_html(PLAIN, fault.status or 200)
    if fault.kind != "status":
        return None
    status = fault.status or 500
    text = fault.body
    if text is None:
        text = FORMS[denial] if status == 403 else f"<html><body><h1>{status}</h1></body></html>"
    reply = Reply(status, text.encode(), HTML)
    if fault.retry_after is not None:
        reply.headers.append(("Retry-After", fault.retry_after))
    return reply


def spoil(reply: Reply, kind: str) -> Reply:
    """A body that is not what its type promises."""
    if kind == "truncate":
        return Reply(reply.status, reply.body[: len(reply.body) // 2], reply.content_type, reply.headers)
    if kind == "invalid_json":
        return Reply(reply.status, b'{"Success": tru, ' + reply.body[:200], reply.content_type, reply.headers)
    return reply
