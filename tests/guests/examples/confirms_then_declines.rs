//! Changes its mind.

use flowcell_sdk::prelude::*;

/// Confirms at the first line and declines at the second, which comes in a later delivery.
#[parser(name = "confirms_then_declines", tcp = [9])]
async fn confirms_then_declines(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    flow.confirm();
    client.get_line().await?;
    Err(Error::decline("on second thoughts"))
}
