using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class TokenizerPageRun : PageRun
{
    public override string Page => "docs/tokenizers.md";

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        var lines = Assert.Single(printed).Split('\n');
        var tokenizer = TextTokenizer.Load(folder["tokenizer"]);
        Assert.Equal(320, tokenizer.VocabularySize);
        Assert.Equal("TheĠoldĠking", lines[0].Replace("|", "", StringComparison.Ordinal));
        Assert.True(lines[0].Split('|').Length < 8, lines[0]);
        Assert.Equal(tokenizer.Files["tokenizer.json"], File.ReadAllBytes(folder["storyteller/tokenizer.json"]));
        Assert.StartsWith(" came out of the wood", lines[1], StringComparison.Ordinal); // a text that it has learned
    }
}
