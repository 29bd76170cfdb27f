using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Preferences;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Preferences;

/// <summary>Preference tuning of the reference stack (trl), reproduced step by step.</summary>
public class PreferenceReferenceTests
{
    private static readonly JsonNode s_reference = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("training/dpo.json")))!;

    [Theory]
    [InlineData("sigmoid", PreferenceLoss.Sigmoid)]
    [InlineData("ipo", PreferenceLoss.IdentityPreference)]
    [InlineData("sigmoid_norm", PreferenceLoss.LengthNormalizedSigmoid)]
    [InlineData("sigmoid_label_smoothing", PreferenceLoss.Sigmoid)]
    [InlineData("robust", PreferenceLoss.Robust)]
    [InlineData("hinge", PreferenceLoss.Hinge)]
    public void Every_step_and_the_final_adapters_equal_the_reference(string name, PreferenceLoss loss)
    {
        var reference = s_reference["losses"]![name]!;
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("families/llama-tiny"));
        PeftAdapterFolder.Load(model, RepositoryFiles.Data("training/dpo_start"));
        var rows = s_reference["rows"]!.AsArray().Select(row => Pair(row!)).ToList();

        var result = new PreferenceTrainer(model, Options(loss, reference), rows)
            .Train(cancellationToken: TestContext.Current.CancellationToken);

        var log = reference["log"]!.AsArray();
        Assert.Equal(log.Count, result.Steps);
        Assert.All(result.History.Zip(log), pair => AssertStep(pair.Second!, pair.First));
        using var final = SafetensorsFile.Open(RepositoryFiles.Data("training/dpo.final.safetensors"));
        var adapters = PeftAdapterFolder.Tensors(model).ToDictionary();
        Assert.Equal(8, adapters.Count);
        using var scope = NewDisposeScope();
        Assert.All(adapters, adapter =>
            Assert.InRange((final.Read($"{name}.{adapter.Key}") - adapter.Value).abs().max().item<float>(), 0, 1e-5f));
    }

    private static void AssertStep(JsonNode expected, TrainingProgress actual)
    {
        var metrics = actual.Preferences!;
        var loss = Number(expected["loss"]);
        Assert.Equal(loss, actual.Loss!.Value, 1e-4 * Math.Max(1, loss));
        Assert.Equal(Number(expected["grad_norm"]), actual.GradientNorm!.Value, 1e-3 * Number(expected["grad_norm"]));
        Assert.Equal(Number(expected["learning_rate"]), actual.LearningRate!.Value, 1e-12);
        Assert.Equal(actual.Loss.Value, metrics.Loss, 1e-9);
        Assert.Equal(Number(expected["rewards_chosen"]), metrics.ChosenReward, 1e-3);
        Assert.Equal(Number(expected["rewards_rejected"]), metrics.RejectedReward, 1e-3);
        Assert.Equal(Number(expected["rewards_margins"]), metrics.RewardMargin, 1e-3);
        Assert.Equal(Number(expected["rewards_accuracy"]), metrics.RewardAccuracy);
        Assert.Equal(Mean(expected["policy_chosen_logps"]!), metrics.ChosenLogProbability, 2e-3);
        Assert.Equal(Mean(expected["policy_rejected_logps"]!), metrics.RejectedLogProbability, 2e-3);
    }

    private static PreferenceTrainingOptions Options(PreferenceLoss loss, JsonNode reference)
    {
        var arguments = s_reference["arguments"]!;
        return new PreferenceTrainingOptions
        {
            Loss = loss,
            Beta = Number(reference["beta"]),
            LabelSmoothing = reference["label_smoothing"]?.GetValue<double>() ?? 0,
            NumberOfEpochs = arguments["epochs"]!.GetValue<int>(),
            BatchSize = arguments["batch"]!.GetValue<int>(),
            LearningRate = Number(arguments["learning_rate"]),
            WarmupSteps = arguments["warmup_steps"]!.GetValue<int>(),
            Precision = Precision.Float32,
            Shuffle = false,
        };
    }

    /// <summary>Rows of the ids that follow the common prefix.</summary>
    private static PreferencePair Pair(JsonNode row)
    {
        var prompt = Ids(row["prompt_ids"]!);
        return PreferencePair.FromWholeTexts(
            prompt, [.. prompt, .. Ids(row["chosen_ids"]!)], [.. prompt, .. Ids(row["rejected_ids"]!)],
            s_reference["arguments"]!["max_length"]!.GetValue<int>())!;
    }

    private static int[] Ids(JsonNode ids) => [.. ids.AsArray().Select(id => id!.GetValue<int>())];

    private static double Mean(JsonNode values) => values.AsArray().Average(value => value!.GetValue<double>());

    private static double Number(JsonNode? value) => value!.GetValue<double>();
}
