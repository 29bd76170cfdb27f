using MLTransfer.Tests.Text.Chats;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class ChatPageRun : PageRun
{
    public override string Page => "docs/chats.md";

    public override void Prepare(PageFolder folder) => TinyChatModel.Make(folder["chat-model"]);

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        Assert.EndsWith("On the red planet.", printed[0], StringComparison.Ordinal);
    }
}
