#!/usr/bin/env python3
"""mod_auth_openidc (a certified client) on a private Apache, with a person in Chromium: the whole code flow.

Everything is in a folder of its own, on a port of its own, and gone afterwards. `--shots DIR` keeps pictures of the pages.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import requests
from playwright.sync_api import TimeoutError, sync_playwright

from person import PASSWORD, URL, Api, check, finish

PORT = int(os.environ["POLYCLINIC_URL"].rsplit(":", 1)[1]) + 60
SITE = f"http://localhost:{PORT}"
MODULES = "/usr/lib/apache2/modules"
shots = pathlib.Path(sys.argv[sys.argv.index("--shots") + 1]) if "--shots" in sys.argv else None


def configuration(folder, client):
    user = "User www-data\nGroup www-data" if os.getuid() == 0 else ""
    modules = "\n".join(f"LoadModule {m}_module {MODULES}/mod_{m}.so" for m in (
        "mpm_event", "authn_core", "authz_core", "authz_user", "dir", "mime", "headers", "auth_openidc"))
    return f"""
ServerRoot {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
LogLevel warn auth_openidc:debug
ServerName localhost
Listen 127.0.0.1:{PORT}
Listen [::1]:{PORT}
{modules}
{user}
DefaultRuntimeDir {folder}
Mutex file:{folder}
DocumentRoot {folder}/site
TypesConfig /etc/mime.types
DirectoryIndex index.html
OIDCProviderMetadataURL {URL}/.well-known/openid-configuration
OIDCClientID {client['clientId']}
OIDCClientSecret {client['clientSecret']}
OIDCRedirectURI {SITE}/secure/callback
OIDCCryptoPassphrase {os.urandom(16).hex()}
OIDCPKCEMethod S256
OIDCScope "openid profile email"
OIDCIDTokenSignedResponseAlg ES256
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCRemoteUserClaim sub
OIDCDefaultLoggedOutURL {SITE}/out.html
<Directory {folder}/site>
    Require all granted
</Directory>
<Location /secure/>
    AuthType openid-connect
    Require claim roles:doctor
    Header always set Cache-Control no-store
    Header always set X-Person "%{{OIDC_CLAIM_name}}e"
    Header always set X-Subject "%{{OIDC_CLAIM_sub}}e"
</Location>
"""


def main():
    admin = Api("admin")
    client = admin.register("The staff’s wiki", redirectUris=[f"{SITE}/secure/callback"], postLogoutRedirectUris=[f"{SITE}/out.html"],
                            grantTypes=["authorization_code", "refresh_token"], scopes=["openid", "profile", "email"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="polyclinic-apache-"))
    folder.chmod(0o755)
    folder.joinpath("site/secure").mkdir(parents=True)
    folder.joinpath("site/secure/index.html").write_text("<h1>For doctors only</h1>")
    folder.joinpath("site/out.html").write_text("<h1>Good bye</h1>")
    folder.joinpath("conf").write_text(configuration(folder, client))
    if os.getuid() == 0:
        shutil.chown(folder, "www-data")
    apache = subprocess.Popen(["/usr/sbin/apache2", "-f", folder / "conf", "-DFOREGROUND"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(folder, apache)
        with sync_playwright() as play:
            chromium = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"] if os.getuid() == 0 else [])
            walk(chromium)
            chromium.close()
        log = folder.joinpath("error.log").read_text()
        # AH01631 is the nurse, kept out.
        check("Apache found nothing wrong", not [line for line in log.splitlines() if ":error]" in line and "AH01631" not in line],
              [line for line in log.splitlines() if ":error]" in line][-3:])
    finally:
        apache.terminate()
        apache.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
    finish()


def wait(folder, apache):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and apache.poll() is None:
        try:
            return requests.get(f"{SITE}/out.html", timeout=2).raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.1)
    sys.exit("Apache did not start:\n" + (folder.joinpath("error.log").read_text() if folder.joinpath("error.log").exists() else ""))


def shot(page, name):
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=shots / f"{name}.png", full_page=True)


def seen(place):
    """Waits for what the last click leads to."""
    try:
        place.wait_for(timeout=5000)
        return True
    except TimeoutError:
        return False


def sign_in(page, who):
    page.goto(f"{SITE}/secure/")
    page.get_by_label("E-mail address").fill(f"{who}@demo.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def walk(chromium):
    said = []
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") and "favicon" not in message.text else None)
    page.goto(f"{SITE}/secure/")
    check("who is nobody yet meets our page", page.url.startswith(f"{URL}/oauth2/sign-in") and page.get_by_role("heading", name="Sign in").is_visible(), page.url)
    shot(page, "sign-in")
    page.set_viewport_size({"width": 320, "height": 640})
    check("nothing is cut off at 320 pixels", page.evaluate("document.documentElement.scrollWidth") <= 320)
    shot(page, "sign-in-320")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_label("E-mail address").fill("doctor@demo.example")
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    check("a wrong password is said, by keyboard alone", seen(page.get_by_role("alert")))
    shot(page, "sign-in-wrong")
    page.get_by_label("E-mail address").fill("doctor@demo.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    check("consent is asked for, by the client's name", seen(page.get_by_role("heading", name="Allow The staff’s wiki?")), page.title())
    shot(page, "consent")
    page.set_viewport_size({"width": 320, "height": 640})
    check("consent fits 320 pixels", page.evaluate("document.documentElement.scrollWidth") <= 320)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url(f"{SITE}/secure/**")
    check("Apache lets the doctor in", page.get_by_role("heading", name="For doctors only").is_visible(), page.content()[:200])
    answer = page.reload()
    check("and knows who it is, from ID token and userinfo", "Dr" in (answer.headers.get("x-person") or "") and answer.headers.get("x-subject"), dict(answer.headers))
    cookies = {c["name"]: c for c in context.cookies(URL)}
    ours = [c for name, c in cookies.items() if name.startswith("__Host-polyclinic")]
    check("Chromium keeps our cookies as __Host-, Secure, HttpOnly", len(ours) == 2 and all(c["secure"] and c["httpOnly"] for c in ours), cookies.keys())
    check("no script, style or form was held back", not [s for s in said if "Content Security Policy" in s], said)

    second = context.new_page()
    context.clear_cookies(domain="localhost", name="mod_auth_openidc_session")
    second.goto(f"{SITE}/secure/")
    check("the second time nothing is asked", second.get_by_role("heading", name="For doctors only").is_visible(), second.url)
    trail = []
    second.on("request", lambda request: trail.append(request.url[:90]))
    second.goto(f"{SITE}/secure/callback?logout={SITE}/out.html")
    check("signing out leads back to the client", second.url.startswith(f"{SITE}/out.html"), second.url)
    second.goto(f"{SITE}/secure/")
    check("and then the password is asked for again", second.url.startswith(f"{URL}/oauth2/sign-in"), trail)

    stranger = chromium.new_context()
    page = stranger.new_page()
    sign_in(page, "nurse")
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url(f"{SITE}/secure/**")
    check("a nurse signs in, and Apache keeps her out", not page.get_by_role("heading", name="For doctors only").is_visible())


main()
