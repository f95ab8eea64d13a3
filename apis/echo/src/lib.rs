//! HTTP APIs to copy: answer what they were sent, in two versions side by side.
//!
//! Enabled as `echo.v1`, implementation `echo` answers below `/echo/v1`:
//!
//! ```text
//! $ curl 'http://localhost:2539/echo/v1/a/b?x=1' -d '{"n":1}'
//! {"body":{"n":1},"code":0,"method":"POST","msg":"OK","path":"/a/b","query":{"x":"1"}}
//! ```
//!
//! `body` is JSON if it reads as JSON, else a text, and missing if there is none. Own code: 100 (400) the body is no text.
//!
//! Implementation `echo2`, meant to be `echo.v2`, also answers the request's headers that `conf/echo2.yaml` names:
//!
//! ```yaml
//! headers: [accept, content-type, user-agent] # the default
//! ```

mod v1;
mod v2;

pub use self::v1::Echo;
pub use self::v2::Echo2;

rtcd_sdk::register_api!("echo", Echo);
rtcd_sdk::register_api!("echo2", Echo2);
