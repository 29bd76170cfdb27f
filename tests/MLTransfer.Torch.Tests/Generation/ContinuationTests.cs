using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Tests.Tokenization;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

public class ContinuationTests(TinyGenerator tiny) : IClassFixture<TinyGenerator>
{
    [Theory]
    [InlineData("xlm-roberta")]
    [InlineData("t5-first-spelling")]
    [InlineData("bert-config-contradicts")]
    [InlineData("sentencepiece/unigram-nmt-nfkc")]
    [InlineData("wordlevel")]
    public async Task A_continuation_is_what_its_tokens_add_to_the_text_of_the_prompt(string folder)
    {
        TextTokenizer tokenizer = TextTokenizer.Load(ReferenceArchive.Files(folder, "tokenizer_config.json", "special_tokens_map.json"));
        var generator = new TextGenerator(tiny.Model, tokenizer);
        foreach (int seed in (int[])[1, 2, 3])
        {
            var options = new GenerationOptions { Sample = true, Seed = seed, MaximumNewTokens = 30, EndOfSequenceIds = [] };
            GeneratedText text = generator.Generate(["The old man"], options, TestContext.Current.CancellationToken)[0][0];

            int[] prompt = tokenizer.Encode("The old man");
            int[] all = [.. prompt, .. text.TokenIds.Where(id => id < tokenizer.VocabularySize)];
            Assert.Equal(
                tokenizer.Decode(all, skipSpecialTokens: true), tokenizer.Decode(prompt, skipSpecialTokens: true) + text.Text);

            string streamed = "";
            await foreach (string piece in generator.StreamAsync("The old man", options, TestContext.Current.CancellationToken))
                streamed += piece;
            Assert.Equal(text.Text, streamed);
        }
    }
}
