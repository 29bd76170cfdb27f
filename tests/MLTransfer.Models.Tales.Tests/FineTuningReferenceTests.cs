using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Models.Tests;

/// <summary>Fine-tuning the real checkpoint on a real text, compared with the reference trainer's run of the same recipe.</summary>
public class FineTuningReferenceTests
{
    private static readonly LanguageTrainingOptions Recipe = new()
    {
        Precision = Precision.Float32,
        NumberOfEpochs = 3,
        BatchSize = 8,
        LearningRate = 5e-4,
        WeightDecay = 0.01,
        Shuffle = false,
    };

    [Theory]
    [InlineData("train", 43143)]
    [InlineData("valid", 10849)]
    [InlineData("test", 10792)]
    public void The_text_has_as_many_tokens_as_the_reference_counts(string part, int count) =>
        Assert.Equal(count, MarsTexts.Tokens(part).Length);

    [Fact]
    public void Full_fine_tuning_follows_the_reference_log_and_reaches_its_losses()
    {
        var reference = JsonNode.Parse(File.ReadAllText(MarsTexts.ReferenceFile("reference_mars.json")))!;
        using var model = CausalLanguageModel.Load(TalesModel.Folder);
        AssertLosses(reference, "loss_before", model, 1e-3);

        var steps = new LanguageModelTrainer(model, Recipe, MarsTexts.Blocks("train"))
            .Train(cancellationToken: TestContext.Current.CancellationToken).History;

        var log = reference["log"]!.AsArray();
        Assert.Equal(log.Count, steps.Count);
        foreach (var (step, expected) in steps.Zip(log))
        {
            var (loss, gradientNorm) = (expected!["loss"]!.GetValue<double>(), expected["grad_norm"]!.GetValue<double>());
            Assert.Equal(loss, step.Loss!.Value, 0.002 * loss);
            Assert.Equal(gradientNorm, step.GradientNorm!.Value, 0.005 * gradientNorm);
            Assert.Equal(expected["learning_rate"]!.GetValue<double>(), step.LearningRate!.Value, 1e-12);
        }

        AssertLosses(reference, "loss_after", model, 0.01);
    }

    [Fact]
    public void LoRA_reaches_the_losses_of_the_reference()
    {
        var reference = JsonNode.Parse(File.ReadAllText(MarsTexts.ReferenceFile("reference_mars_lora.json")))!;
        using var model = CausalLanguageModel.Load(TalesModel.Folder);
        manual_seed(1);
        LowRankAdaptation.Attach(model, new LoraOptions { Rank = 8, Alpha = 16, TargetModules = ["c_attn"] });
        var options = new LanguageTrainingOptions
        {
            Precision = Recipe.Precision,
            NumberOfEpochs = Recipe.NumberOfEpochs,
            BatchSize = Recipe.BatchSize,
            LearningRate = reference["arguments"]!["learning_rate"]!.GetValue<double>(),
            WeightDecay = Recipe.WeightDecay,
            Shuffle = false,
        };

        new LanguageModelTrainer(model, options, MarsTexts.Blocks("train")).Train(cancellationToken: TestContext.Current.CancellationToken);

        foreach (var part in (string[])["valid", "test"])
        {
            var expected = reference["loss_after"]![part]!.GetValue<double>();
            var reached = Evaluator.Evaluate(model, MarsTexts.Blocks(part), cancellationToken: TestContext.Current.CancellationToken).Loss;
            TestContext.Current.TestOutputHelper?.WriteLine($"{part}: {reached:F4}, reference {expected:F4}");
            Assert.True(reached < expected + 0.02, $"{part}: {reached:F4}, reference {expected:F4}");
        }
    }

    private static void AssertLosses(JsonNode reference, string when, CausalLanguageModel model, double tolerance)
    {
        foreach (var part in (string[])["valid", "test"])
        {
            var expected = reference[when]![part]!.GetValue<double>();
            var loss = Evaluator.Evaluate(model, MarsTexts.Blocks(part), cancellationToken: TestContext.Current.CancellationToken).Loss;
            TestContext.Current.TestOutputHelper?.WriteLine($"{when}, {part}: {loss:F4}, reference {expected:F4}");
            Assert.Equal(expected, loss, tolerance);
        }
    }
}
