import Access
import HTTP

/// The pages of signing in, as values: what they say follows from what they are given.
enum SignInPages {
    static func password(
        _ client: Client, _ handle: AttemptHandle, token: String, _ passkey: PasskeyChoice, alert: String? = nil
    ) -> Page {
        Page(
            title: "Sign in", lead: "to continue to \(client.name)", alert: alert,
            content: HTML.form(
                to: "/oauth2/sign-in", [("attempt", handle.text), ("token", token)],
                HTML.field(
                    "email", "E-mail address or phone number", type: "text",
                    #"autocomplete="username" maxlength="254" autocapitalize="off" spellcheck="false" autofocus"#)
                    + HTML.field("password", "Password", type: "password", #"autocomplete="current-password" maxlength="128""#)
                    + HTML.button("Sign in")) + passkey.form(handle, token: token),
            script: PasskeyChoice.script)
    }

    /// For who was given a password that opens nothing else.
    static func ownPassword(
        _ client: Client, _ handle: AttemptHandle, token: String, email: String, alert: String?
    ) -> Page {
        Page(
            title: "Choose your own password", lead: "to continue to \(client.name)", alert: alert,
            content: HTML.note("The one that you were given is right. It was only for the first time.")
                + HTML.form(
                    to: "/oauth2/sign-in", [("attempt", handle.text), ("token", token), ("email", email)],
                    HTML.field(
                        "password", "The password that you were given", type: "password",
                        #"autocomplete="current-password" maxlength="128" autofocus"#)
                        + HTML.field(
                            "newPassword", "Your own, 15 characters or more", type: "password",
                            #"autocomplete="new-password" minlength="15" maxlength="128""#)
                        + HTML.button("Continue")))
    }

    static func code(
        _ client: Client, _ handle: AttemptHandle, token: String, _ passkey: PasskeyChoice, alert: String? = nil
    ) -> Page {
        Page(
            title: "Enter your code", lead: "to continue to \(client.name)", alert: alert,
            content: HTML.form(
                to: "/oauth2/second-factor", [("attempt", handle.text), ("token", token)],
                HTML.field(
                    "code", "Code of your authenticator app, or a recovery code", type: "text",
                    #"autocomplete="one-time-code" maxlength="24" autocapitalize="off" spellcheck="false" autofocus"#)
                    + HTML.button("Continue")) + passkey.form(handle, token: token),
            script: PasskeyChoice.script)
    }

    static func consent(
        _ client: Client, _ scopes: Set<Scope>, name: String, leadsTo: String?, _ handle: AttemptHandle, token: String
    ) -> Page {
        let asked = Scope.allCases.filter { scopes.contains($0) }.map(\.meaning)
        return Page(
            title: "Allow \(client.name)?", lead: "Signed in as \(name)",
            content: "<p class=\"note\">\(HTML.escaped(client.name)) asks to:</p>" + HTML.list(asked)
                + HTML.form(
                    to: "/oauth2/consent", [("attempt", handle.text), ("token", token)],
                    HTML.button("Allow", value: "allow") + HTML.button("Do not allow", value: "deny", plain: true))
                + HTML.note("It can do no more than you may do yourself, and you can be asked again at any time."),
            leadsTo: leadsTo)
    }

    static func signOut(token: String, hidden: [(name: String, value: String)], leadsTo: String?) -> Page {
        Page(
            title: "Sign out?", lead: "You are signed in to Polyclinic in this browser.",
            content: HTML.form(
                to: "/oauth2/logout", hidden + [("token", token)], HTML.button("Sign out", value: "yes")),
            leadsTo: leadsTo)
    }

    static let signedOut = Page(title: "You are signed out", lead: "You may close this window.")

    static func message(_ title: String, _ text: String) -> Page { Page(title: title, lead: text) }

    /// For staff whose clinic asks for a second factor, and who have none yet.
    static func enrolment(
        _ client: Client, _ handle: AttemptHandle, token: String, _ totp: TOTP, uri: String, alert: String? = nil
    ) -> Page {
        Page(
            title: "Add a second factor", lead: "to continue to \(client.name)", alert: alert,
            content: HTML.note("Your password is right. Your clinic asks its staff for an authenticator app, too. Add this key to one:")
                + HTML.code(Base32.grouped(totp.secret)) + HTML.link(uri, "Add it to an app on this device")
                + HTML.form(
                    to: "/oauth2/enrolment", [("attempt", handle.text), ("token", token)],
                    HTML.field(
                        "code", "The code that the app shows now", type: "text",
                        #"autocomplete="one-time-code" inputmode="numeric" maxlength="7" autofocus"#)
                        + HTML.button("Add it"))
                + HTML.note("If you cannot, your clinic's administrator can help."))
    }

    /// Once, after it.
    static func recoveryCodes(_ client: Client, _ handle: AttemptHandle, token: String, _ codes: [RecoveryCode]) -> Page {
        Page(
            title: "Keep these codes", lead: "They are shown only now",
            content: HTML.note("Each of them opens your account once, on the day that your app is lost. Keep them on paper or in a password manager.")
                + HTML.list(codes.map(\.text))
                + HTML.form(
                    to: "/oauth2/enrolment", [("attempt", handle.text), ("token", token)],
                    HTML.button("Continue to \(client.name)")))
    }

    static let runOut = message(
        "This sign-in has run out", "Go back to the application that you came from and start again.")

    static let notOurs = message(
        "That did not come from here", "The form was sent from another page or has grown old. Go back and start again.")
}
