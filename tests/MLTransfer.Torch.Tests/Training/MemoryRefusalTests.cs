using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>A training that memory is too small for is refused in one sentence, with the changes that help.</summary>
public partial class MemoryRefusalTests
{
    private static readonly LanguageTrainingOptions s_options = new() { Precision = Precision.Float32 };

    [Fact]
    public void A_training_above_the_limit_is_refused_before_anything_is_written()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var before = model.ComputeFingerprint();
        var options = TinyRun.Options(TinyRunKind.Improving, folder["run"]) with { MemoryLimit = 1_000_000 };
        var reports = 0;

        var exception = Assert.Throws<InsufficientMemoryException>(() =>
            new LanguageModelTrainer(model, options, TinyRun.Rows).Train(
                new ProgressCallback(_ => reports++), TestContext.Current.CancellationToken));

        Assert.StartsWith("Training would take about ", exception.Message, StringComparison.Ordinal);
        Assert.Contains("MemoryLimit is 0.00 GB", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith("MemoryLimit = long.MaxValue trains anyway.", exception.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["run"]));
        Assert.Equal(before, model.ComputeFingerprint());
        Assert.Equal(0, reports);
    }

    [Fact]
    public void Who_asks_for_it_trains_anyway_and_without_a_limit_what_is_free_is_enough_for_a_tiny_network()
    {
        foreach (var limit in (long?[])[long.MaxValue, null])
        {
            using var model = TinyRun.CreateModel(TinyRunKind.Improving);
            var options = TinyRun.Options(TinyRunKind.Improving, folder: null) with { MemoryLimit = limit, MaximumSteps = 1 };
            var trainer = new LanguageModelTrainer(model, options, TinyRun.Rows);
            Assert.Equal(1, trainer.Train(cancellationToken: TestContext.Current.CancellationToken).Steps);
        }
    }

    [Fact]
    public void Each_remedy_is_enough_by_itself_and_those_that_change_least_come_first()
    {
        // 8 rows of 1024 tokens: about 7 GB, most of them activations.
        using var network = Gpt2();
        var memory = new LanguageMemory(network, s_options, LanguageShape.Of(s_options, 1024));
        var limit = memory.Estimate().Total * 9 / 10;

        var remedies = Remedies(Refusal(memory, limit));

        Assert.Equal(
            [
                "BatchSize = 4 with GradientAccumulationSteps = 2", "GradientCheckpointing = true", "Precision = Precision.BFloat16",
                "LoRA of rank 8", "rows of 512 tokens",
            ],
            remedies.Select(remedy => remedy.Change));
        Assert.All(remedies, remedy => Assert.InRange(remedy.Gigabytes, 0.2, limit / 1e9 + 0.005));
    }

    [Fact]
    public void A_remedy_that_is_not_enough_is_not_named()
    {
        // Weights, gradients and optimizer of GPT-2 124M alone are 2 GB: one row or checkpointing leave more than this limit.
        using var network = Gpt2();
        var memory = new LanguageMemory(network, s_options, LanguageShape.Of(s_options with { BatchSize = 2 }, 64));
        var estimate = memory.Estimate();
        var limit = estimate.Total - estimate.Optimizer;

        var remedies = Remedies(Refusal(memory, limit));

        Assert.Equal(["LoRA of rank 8"], remedies.Select(remedy => remedy.Change));
    }

    [Fact]
    public void Remedies_that_are_enough_only_together_are_named_with_what_all_of_them_take()
    {
        using var network = Gpt2();
        var memory = new LanguageMemory(network, s_options, LanguageShape.Of(s_options, 1024));
        var all = memory.Remedies(0)[^1].Estimate.Total;

        var message = Refusal(memory, all + 50_000_000);

        Assert.Contains("none is enough by itself", message, StringComparison.Ordinal);
        var remedies = Remedies(message);
        Assert.Equal("all of these together", remedies[^1].Change);
        Assert.Equal(6, remedies.Count);
        Assert.InRange(remedies[^1].Gigabytes, 0, (all + 50_000_000) / 1e9);
        Assert.Contains("take a smaller network", Refusal(memory, 1_000_000), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_set_already_is_no_remedy()
    {
        using var network = Gpt2();
        LowRankAdaptation.Attach(network, new LoraOptions());
        var options = s_options with { BatchSize = 1, GradientCheckpointing = true, Precision = Precision.BFloat16 };

        var remedies = new LanguageMemory(network, options, LanguageShape.Of(options, 1024)).Remedies(0);

        Assert.Equal(["rows of 32 tokens", "all of these together"], remedies.Select(remedy => remedy.Change));
    }

    private static CausalLanguageModel Gpt2() => CausalLanguageModel.Create(
        new JsonObject
        {
            ["model_type"] = "gpt2", ["vocab_size"] = 50257, ["n_positions"] = 1024, ["n_embd"] = 768, ["n_layer"] = 12, ["n_head"] = 12,
            ["attn_pdrop"] = 0,
        },
        device: META);

    private static string Refusal(LanguageMemory memory, long limit) => Assert.Throws<InsufficientMemoryException>(() =>
        MemoryCheck.Run(memory.Estimate(), s_options with { MemoryLimit = limit }, memory.Remedies)).Message;

    private static List<(string Change, double Gigabytes)> Remedies(string message) =>
    [
        .. Remedy().Matches(message[message.IndexOf(" is ", StringComparison.Ordinal)..]).Select(match => (
            match.Groups[1].Value, double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture))),
    ];

    [GeneratedRegex(@"((?:BatchSize|Gradient|Precision|LoRA|rows|all of)[^()]*) \((\d+\.\d\d) GB\)")]
    private static partial Regex Remedy();
}
