import Cryptography

/// The button that signs in with a passkey instead: a form that our one script shows where the browser can, and fills
/// with what the device answered. Without scripts the page is what it was.
struct PasskeyChoice {
    let challenge: [UInt8]
    /// The domain that passkeys are bound to.
    let party: String

    static let fields = ["credentialId", "clientDataJSON", "authenticatorData", "signature", "userHandle"]

    func form(_ handle: AttemptHandle, token: String) -> String {
        let hidden = [("attempt", handle.text), ("token", token)] + Self.fields.map { ($0, "") }
        return HTML.form(
            to: "/oauth2/passkey", hidden,
            HTML.button("Use a passkey", plain: true) + #"<p class="note" role="status" hidden>No passkey was used. "#
                + "Try again, or sign in above.</p>",
            attributes: #"id="passkey" data-challenge="\#(Base64URL.encode(challenge))" "#
                + #"data-party="\#(HTML.escaped(party))" hidden"#)
    }

    static let script = """
        const form=document.getElementById("passkey"),note=form.querySelector("[role=status]")
        const bytes=text=>Uint8Array.from(atob(text.replace(/-/g,"+").replace(/_/g,"/")),c=>c.charCodeAt(0))
        const text=bytes=>btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\\+/g,"-").replace(/\\//g,"_").replace(/=+$/,"")
        form.hidden=!window.PublicKeyCredential
        form.addEventListener("submit",async event=>{
        event.preventDefault();note.hidden=true
        try{
        const made=await navigator.credentials.get({publicKey:{challenge:bytes(form.dataset.challenge),rpId:form.dataset.party,userVerification:"required"}})
        form.elements.credentialId.value=text(made.rawId)
        for(const name of["clientDataJSON","authenticatorData","signature","userHandle"])form.elements[name].value=text(made.response[name])
        form.submit()
        }catch{note.hidden=false}})
        """
}
