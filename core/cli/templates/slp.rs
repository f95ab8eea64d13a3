//! A service that greets whoever sends it a MESSAGE.

use rtcd_sdk::prelude::*;

register_slp!("template-name", TemplateName);

/// What serves one dialog. State of the dialog goes into its fields.
#[derive(Debug)]
pub struct TemplateName;

impl Slp for TemplateName {
    type Leg = ();
    type Service = ();

    fn new(_: &Arc<()>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx, request: Incoming<Request>) -> Outcome {
        if request.method != Method::Message {
            cx.refuse(&request, StatusCode::METHOD_NOT_ALLOWED, "Only MESSAGE is answered")?;
            return Ok(());
        }
        let mut response = request.response(StatusCode::OK);
        response.headers.set_text("Body", &format!("Hello, {}! This is template-name.", request.from));
        cx.send(request.leg, response)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rtcd_sdk::harness::Harness;

    use super::*;

    #[test]
    fn a_message_gets_a_greeting() {
        let mut harness = Harness::<TemplateName>::new();
        let message = harness.first(Method::Message, "alice@test.com", "anybody@test.com");
        let alice = harness.dial(message);
        let [Message::Response(response)] = harness.sent(alice) else {
            panic!("not one answer: {}", harness.log())
        };
        assert_eq!(response.code, StatusCode::OK);
        let body = response.headers.text("Body");
        assert_eq!(body.as_deref(), Some("Hello, alice@test.com! This is template-name."));
        harness.ended(alice);
        assert_eq!(harness.tasks(), 0);
    }

    #[test]
    fn anything_else_is_refused() {
        let mut harness = Harness::<TemplateName>::new();
        let invite = harness.first(Method::Invite, "alice@test.com", "anybody@test.com");
        let alice = harness.dial(invite);
        let [Message::Response(response)] = harness.sent(alice) else {
            panic!("not one answer: {}", harness.log())
        };
        assert_eq!(response.code, StatusCode::METHOD_NOT_ALLOWED);
    }
}
