using System.Text.Json.Nodes;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>A log of the reference trainer: its rows, arguments, and what it printed at every step.</summary>
internal sealed record ReferenceRun(
    IReadOnlyList<TrainingExample> Rows, LanguageTrainingOptions Options,
    IReadOnlyList<(double Loss, double GradientNorm, double LearningRate)> Log)
{
    public static ReferenceRun Read(string path)
    {
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        var rows = json["input_ids"]?.AsArray()
            .Select(row => row!.AsArray().Select(id => id!.GetValue<int>()).ToArray())
            .Select((ids, row) => Example(ids, json["labels"]?[row], json["attention_mask"]?[row]))
            .ToList() ?? [];
        var arguments = json["arguments"]!;
        var options = new LanguageTrainingOptions
        {
            Precision = Precision.Float32,
            NumberOfEpochs = arguments["num_train_epochs"]!.GetValue<int>(),
            BatchSize = arguments["per_device_train_batch_size"]!.GetValue<int>(),
            GradientAccumulationSteps = arguments["gradient_accumulation_steps"]?.GetValue<int>() ?? 1,
            LearningRate = arguments["learning_rate"]!.GetValue<double>(),
            WeightDecay = arguments["weight_decay"]!.GetValue<double>(),
            WarmupSteps = arguments["warmup_steps"]!.GetValue<int>(),
            LearningRateSchedule = Enum.Parse<LearningRateSchedule>(arguments["lr_scheduler_type"]!.GetValue<string>(), ignoreCase: true),
            MaximumGradientNorm = arguments["max_grad_norm"]!.GetValue<double>(),
            Shuffle = false,
        };
        var log = json["log"]!.AsArray()
            .Select(entry =>
            (entry!["loss"]!.GetValue<double>(), entry["grad_norm"]!.GetValue<double>(), entry["learning_rate"]!.GetValue<double>()))
            .ToList();
        return new ReferenceRun(rows, options, log);
    }

    /// <summary>A row without its padding, whose labels are -100.</summary>
    private static TrainingExample Example(int[] ids, JsonNode? labels, JsonNode? mask)
    {
        var counted = labels?.AsArray().Select(label => label!.GetValue<int>()).ToArray()
            ?? [.. ids.Select((id, column) => mask?[column]!.GetValue<int>() == 0 ? TrainingExample.Ignored : id)];
        var length = Array.FindLastIndex(counted, label => label != TrainingExample.Ignored) + 1;
        return new TrainingExample(ids[..length], counted[..length]);
    }
}
