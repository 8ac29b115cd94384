"""A passkey of Chromium's own (virtual authenticator by CDP) is registered, signs in, and cannot be replayed.

    Tests/Conformance/passkey            # against the running stack
"""
import json
import os
import sys
import urllib.parse
import uuid

from playwright.sync_api import sync_playwright

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../Journeys"))
from clinic import PASSWORD, Clinic, stack_environment  # noqa: E402

CREATE = """async (options) => {
  const credential = await navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)});
  return credential.toJSON();
}"""
GET = """async (options) => {
  const credential = await navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)});
  return credential.toJSON();
}"""


def say(text):
    print(f"  {text}", flush=True)


def main():
    url = stack_environment()["POLYCLINIC_URL"]
    page_url = url.replace("127.0.0.1", "localhost") + "/health"
    door = Clinic(url)
    admin = door.as_("admin")
    email = f"passkey-{uuid.uuid4().hex[:10]}@demo.example"
    account = admin.open_account({"name": "Nisha", "email": email, "roles": ["nurse"]}).json
    me = door.as_(email)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        cdp = page.context.new_cdp_session(page)
        cdp.send("WebAuthn.enable")

        def authenticator(verified):
            return cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                "isUserVerified": verified, "automaticPresenceSimulation": True}})["authenticatorId"]

        device = authenticator(True)
        page.goto(page_url)
        made = page.evaluate(CREATE, me.post("/v1/auth/passkeys/registration", expect=200).json)
        registered = me.post("/v1/auth/passkeys", {name: made["response"][name] for name in ("clientDataJSON", "attestationObject")})
        assert len(registered["recoveryCodes"]) == 10
        say(f"{browser.version}: registered with {made.get('authenticatorAttachment')}")

        def assertion():
            got = page.evaluate(GET, door.post("/v1/auth/passkeys/challenge", expect=200).json)
            return {"credentialId": got["rawId"], **{n: got["response"][n] for n in ("clientDataJSON", "authenticatorData", "signature", "userHandle")}}

        shown = assertion()
        signed = door.post("/v1/auth/passkeys/sign-in", shown, expect=200)
        assert signed["user"]["id"] == account["id"]
        say("signed in without a name or a password")
        assert door.call("POST", "/v1/auth/passkeys/sign-in", shown).code == "passkey_invalid"
        say("the same answer again opens nothing")
        assert door.post("/v1/auth/passkeys/sign-in", assertion(), expect=200)
        proof = assertion()
        proof.pop("userHandle")
        assert Clinic(url, signed["accessToken"]).post("/v1/auth/step-up", {"passkey": proof}, expect=200)
        say("signed in again, and stepped up")
        assert door.call("POST", "/v1/auth/login", {"email": email, "password": PASSWORD}).code == "otp_required"

        # On the sign-in page of a client's link: by its own script, under its own policy, and for its person only.
        back = page_url
        client = admin.post("/v1/auth/clients", {
            "name": "Portal", "grantTypes": ["authorization_code"], "redirectUris": [back], "scopes": ["openid"], "consentRequired": False}).json
        link = url.replace("127.0.0.1", "localhost") + "/oauth2/authorize?" + urllib.parse.urlencode({
            "response_type": "code", "client_id": client["clientId"], "redirect_uri": back, "scope": "openid",
            "code_challenge": "w1TpKUdYE9hUAcNSeeSRFioHDxfUxuHho_JHAfZ_vDM", "code_challenge_method": "S256"})
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(link)
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url(lambda address: address.startswith(back + "?code="))
        say("signed in on the page of a client's link")
        page.context.clear_cookies()
        page.goto(link)
        page.get_by_label("E-mail address or phone number").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda address: "/oauth2/second-factor?" in address)
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url(lambda address: address.startswith(back + "?code="))
        say("and instead of an app's code")
        assert not [text for text in said if "Content Security Policy" in text], said

        # From a page of another origin the browser itself refuses, or we do.
        other = browser.new_page()
        other.goto(page_url.replace("localhost", "127.0.0.1"))
        refused = other.evaluate("""async (options) => {
          try { await navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)}); return "given"; }
          catch (error) { return error.name; }
        }""", door.post("/v1/auth/passkeys/challenge", expect=200).json)
        assert refused in ("SecurityError", "NotAllowedError", "TypeError"), refused
        say(f"another origin gets {refused}")

        # An authenticator that only sees that somebody is there, not who, is not enough.
        cdp.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
        unverified = page.evaluate("""async (options) => {
          try { const c = await navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)}); return c.toJSON(); }
          catch (error) { return error.name; }
        }""", {**door.post("/v1/auth/passkeys/challenge", expect=200).json, "userVerification": "discouraged"})
        if isinstance(unverified, dict):
            body = {"credentialId": unverified["rawId"], **{n: unverified["response"][n] for n in ("clientDataJSON", "authenticatorData", "signature", "userHandle")}}
            assert door.call("POST", "/v1/auth/passkeys/sign-in", body).code == "passkey_invalid"
            say("a signature without verification of the person opens nothing")
        else:
            say(f"the browser gives none without verification ({unverified})")
        browser.close()
    print(json.dumps({"passkey": "ok"}))


main()
