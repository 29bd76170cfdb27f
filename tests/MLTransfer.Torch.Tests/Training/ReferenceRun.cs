using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>A log of the reference trainer: its rows, arguments, and what it printed at every step.</summary>
internal sealed record ReferenceRun(
    IReadOnlyList<TrainingExample> Rows, LanguageTrainingOptions Options,
    IReadOnlyList<(double Loss, double GradientNorm, double LearningRate)> Log)
{
    /// <param name="path">The log.</param>
    /// <param name="model">What is trained: it decides on the form of the rows.</param>
    public static ReferenceRun Read(string path, TransformerNetwork? model = null)
    {
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        var rows = json["input_ids"]?.AsArray()
            .Select(row => row!.AsArray().Select(id => id!.GetValue<int>()).ToArray())
            .Select((ids, row) => Example(ids, json["labels"]?[row], json["attention_mask"]?[row], model))
            .ToList() ?? [];
        var arguments = json["arguments"]!;
        var options = new LanguageTrainingOptions
        {
            Precision = Precision.Float32,
            NumberOfEpochs = arguments["num_train_epochs"]!.GetValue<int>(),
            BatchSize = arguments["per_device_train_batch_size"]!.GetValue<int>(),
            GradientAccumulationSteps = arguments["gradient_accumulation_steps"]?.GetValue<int>() ?? 1,
            LearningRate = arguments["learning_rate"]!.GetValue<double>(),
            AdamEpsilon = arguments["adam_epsilon"]?.GetValue<double>() ?? 1e-8,
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
    private static TrainingExample Example(int[] ids, JsonNode? labels, JsonNode? mask, TransformerNetwork? model)
    {
        var real = mask is null ? ids.Length : mask.AsArray().Sum(value => value!.GetValue<int>());
        if (model is MaskedLanguageModel)
            return new TrainingExample(ids[..real], Numbers(labels!)[..real]) { PredictsInPlace = true };
        if (model is EncoderDecoderModel)
        {
            var written = Numbers(labels!).Where(label => label != TrainingExample.Ignored).ToArray();
            var start = model.Configuration["decoder_start_token_id"]!.GetValue<int>();
            return new TrainingExample([start, .. written], [TrainingExample.Ignored, .. written]) { EncoderIds = ids[..real] };
        }

        var counted = labels?.AsArray().Select(label => label!.GetValue<int>()).ToArray()
            ?? [.. ids.Select((id, column) => mask?[column]!.GetValue<int>() == 0 ? TrainingExample.Ignored : id)];
        var length = Array.FindLastIndex(counted, label => label != TrainingExample.Ignored) + 1;
        return new TrainingExample(ids[..length], counted[..length]);
    }

    private static int[] Numbers(JsonNode values) => [.. values.AsArray().Select(value => value!.GetValue<int>())];
}
