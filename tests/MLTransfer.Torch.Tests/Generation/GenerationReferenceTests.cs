using System.Globalization;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Processors;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

/// <summary>What Hugging Face's <c>generate</c> gives.</summary>
public class GenerationReferenceTests(TinyGenerator tiny) : IClassFixture<TinyGenerator>
{
    public static TheoryData<int, string> Cases =>
        [.. TinyGenerator.Reference["cases"]!.AsArray().Select((test, index) => (index, test!["name"]!.GetValue<string>()))];

    public static TheoryData<string> Distributions =>
        [.. TinyGenerator.Reference["distributions"]!.AsArray().Select(test => test!["name"]!.GetValue<string>())];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Tokens_and_text_equal_the_reference(int index, string name)
    {
        var test = TinyGenerator.Reference["cases"]![index]!;
        var prompt = TinyGenerator.Ids(test["prompt_ids"]);
        var options = ToOptions(test["options"]!.AsObject(), test["max_new_tokens"]!.GetValue<int>());
        var generated = tiny.Single(prompt, options);
        Assert.Equal(TinyGenerator.Ids(test["output_ids"]), prompt.Concat(generated.TokenIds));
        Assert.Equal(FinishReason.Length, generated.FinishReason);

        var text = tiny.Texts(tiny.Tokenizer.Decode(prompt), options)[0];
        Assert.Equal(generated.TokenIds, text.TokenIds);
        Assert.Equal(tiny.Tokenizer.Decode([.. generated.TokenIds], skipSpecialTokens: true), text.Text);
        Assert.True(text.SequenceScore.HasValue == name.StartsWith("beam", StringComparison.Ordinal));
    }

    [Fact]
    public void All_prompts_of_an_option_set_read_together_equal_the_reference()
    {
        foreach (var tests in TinyGenerator.Reference["cases"]!.AsArray().GroupBy(test => test!["name"]!.GetValue<string>()))
        {
            var first = tests.First()!;
            var generated = tiny.Generate(
                [.. tests.Select(test => TinyGenerator.Ids(test!["prompt_ids"]))],
                ToOptions(first["options"]!.AsObject(), first["max_new_tokens"]!.GetValue<int>()));
            Assert.All(tests.Zip(generated), pair => Assert.Equal(
                TinyGenerator.Ids(pair.First!["output_ids"]), TinyGenerator.Ids(pair.First["prompt_ids"]).Concat(pair.Second[0].TokenIds)));
        }
    }

    [Theory]
    [MemberData(nameof(Distributions))]
    public void Distribution_after_processors_equals_the_reference(string name)
    {
        var prompt = TinyGenerator.Ids(TinyGenerator.Reference["prompt_ids"]);
        var expected = TinyGenerator.Reference["distributions"]!.AsArray()
            .Single(test => test!["name"]!.GetValue<string>() == name)!["probabilities"]!;
        var logits = tiny.Logits(prompt);
        AssertDistribution(name, expected, logits, prompt, new TokenRules());
    }

    /// <summary>Compares the distribution that processors make of logits.</summary>
    internal static void AssertDistribution(string name, JsonNode expected, float[] logits, int[] tokens, TokenRules rules)
    {
        var options = name switch
        {
            "temperature0.7" => new GenerationOptions { Temperature = 0.7 },
            "top_k20" => new GenerationOptions { TopK = 20 },
            "top_p0.9" => new GenerationOptions { TopP = 0.9 },
            "min_p0.05" => new GenerationOptions { MinP = 0.05 },
            "typical0.8" => new GenerationOptions { TypicalP = 0.8 },
            "t0.8_k50_p0.95" => new GenerationOptions { Temperature = 0.8, TopK = 50, TopP = 0.95 },
            "rep1.2_t0.9" => new GenerationOptions { RepetitionPenalty = 1.2, Temperature = 0.9 },
            _ => throw new NotSupportedException(name),
        };
        LogitsPipeline.Create(options with { Sample = true }, logits.Length, [0], rules).Apply(logits, tokens, tokens.Length);
        var probabilities = new float[logits.Length];
        var sum = Softmax.Exponentials(logits, Softmax.Maximum(logits), probabilities);
        var worst = 0.0;
        for (var id = 0; id < probabilities.Length; id++)
        {
            var reference = expected[id.ToString(CultureInfo.InvariantCulture)]?.GetValue<double>() ?? 0;
            worst = Math.Max(worst, Math.Abs(probabilities[id] / sum - reference));
        }

        TestContext.Current.SendDiagnosticMessage($"{name}: worst difference {worst}");
        Assert.True(worst < 1e-5, $"worst difference {worst}");
    }

    internal static GenerationOptions ToOptions(JsonObject options, int maximumNewTokens) => new()
    {
        MaximumNewTokens = maximumNewTokens,
        MinimumNewTokens = options["min_new_tokens"]?.GetValue<int>() ?? 0,
        RepetitionPenalty = options["repetition_penalty"]?.GetValue<double>() ?? 1,
        NoRepeatNgramSize = options["no_repeat_ngram_size"]?.GetValue<int>() ?? 0,
        BeamCount = options["num_beams"]?.GetValue<int>() ?? 1,
        LengthPenalty = options["length_penalty"]?.GetValue<double>() ?? 1,
        EarlyStopping = options["early_stopping"]?.ToString() switch
        {
            "never" => EarlyStopping.Never,
            "true" => EarlyStopping.WhenFinished,
            _ => EarlyStopping.Heuristic,
        },
    };
}
