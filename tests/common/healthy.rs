//! A call that has nothing to do with what a test does to the server, and goes on.

use serde_json::{Value, json};

use super::{Client, TestServer, ack, answer, request};

/// Two users who talk.
#[derive(Debug)]
pub(crate) struct Healthy {
    caller: Client,
    callee: Client,
    invite: Value,
    cseq: u64,
}

const CALLER: &str = "healthy-caller@client.test";
const CALLEE: &str = "healthy-callee@client.test";

impl Healthy {
    /// A call that is up. The routes must give INVITEs to `*@*` to `call`.
    pub(crate) async fn start(server: &TestServer) -> Self {
        let mut caller = Client::connect(server, CALLER).await;
        let mut callee = Client::connect(server, CALLEE).await;
        let call = request("INVITE", CALLEE, CALLER, "healthy", 1);
        caller.send(&call).await;
        let invite = callee.expect(json!({"Type": "INVITE"})).await;
        callee.reply(&invite, 200).await;
        let accepted = caller.expect(answer(&call, 200)).await;
        caller.send(&ack(&accepted, 2)).await;
        callee.expect(json!({"Type": "ACK"})).await;
        Self { caller, callee, invite, cseq: 2 }
    }

    /// Each says something, and hears the answer.
    pub(crate) async fn check(&mut self) {
        self.cseq += 1;
        let far = self.invite["DialogueID"].as_str().unwrap();
        say(&mut self.caller, &mut self.callee, "healthy", self.cseq).await;
        say(&mut self.callee, &mut self.caller, far, self.cseq).await;
    }

    /// Hangs up.
    pub(crate) async fn end(mut self) {
        self.check().await;
        let bye = request("BYE", CALLEE, CALLER, "healthy", self.cseq + 1);
        self.caller.send(&bye).await;
        self.caller.expect(answer(&bye, 200)).await;
        let bye = self.callee.expect(json!({"Type": "BYE"})).await;
        self.callee.reply(&bye, 200).await;
        self.caller.close().await;
        self.callee.close().await;
    }
}

async fn say(from: &mut Client, to: &mut Client, dialog: &str, cseq: u64) {
    let info = request("INFO", CALLEE, CALLER, dialog, cseq);
    from.send(&info).await;
    let passed = to.expect(json!({"Type": "INFO"})).await;
    to.reply(&passed, 200).await;
    from.expect(answer(&info, 200)).await;
}
