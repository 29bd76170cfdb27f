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
        Assert.Equal(2, printed[1].Split('\n').Length);
        Assert.Contains("I am Tars.", printed[1].Split('\n')[0], StringComparison.Ordinal);
        Assert.Equal(["I am Tars.", " Tars.", "Very far."], printed[2].Split('\n'));
    }
}
