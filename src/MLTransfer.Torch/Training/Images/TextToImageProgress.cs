using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training.Images;

/// <summary>The state of the training of a network that writes codes of pictures, after an optimizer step or at an evaluation.</summary>
public sealed record TextToImageProgress : RunProgress, ITrainingReport<TextToImageProgress>
{
    /// <summary>Times the data was gone through, with its fraction.</summary>
    public required double Epoch { get; init; }

    /// <summary>The mean over the step's rows of the loss, in nats. Null at the evaluation before the first step.</summary>
    public double? Loss { get; init; }

    /// <summary>What the loss consists of, by name, such as <c>loss_text</c> and <c>loss_image</c>; empty where there is no loss.</summary>
    public IReadOnlyDictionary<string, double> LossParts { get; init; } = new Dictionary<string, double>();

    /// <summary>The Euclidean norm of the gradient before clipping.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>The learning rate of the step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>What the validation rows gave, where they were evaluated after this step.</summary>
    public TextToImageEvaluationResult? Validation { get; init; }

    /// <summary>Pictures trained on a second, over the run so far.</summary>
    public double ImagesPerSecond { get; init; }

    internal override double? JudgedLoss => Validation?.Loss;

    internal override JsonObject ToJson()
    {
        var line = new JsonObject { ["step"] = Step, ["epoch"] = Math.Round(Epoch, 4) };
        Add(line, "loss", Loss);
        foreach (var (name, value) in LossParts)
            Add(line, name, value);
        Add(line, "grad_norm", GradientNorm);
        Add(line, "learning_rate", LearningRate);
        Add(line, "eval_loss", Validation?.Loss);
        foreach (var (name, value) in Validation?.Parts ?? new Dictionary<string, double>())
            Add(line, $"eval_{name}", value);
        Add(line, "images_per_second", Math.Round(ImagesPerSecond, 2));
        Add(line, "seconds", Math.Round(Elapsed.TotalSeconds, 3));
        return line;
    }

    internal override RunProgress WithSpeed(double amountPerSecond) => this with { ImagesPerSecond = amountPerSecond };

    static TextToImageProgress ITrainingReport<TextToImageProgress>.FromJson(JsonNode line) => new()
    {
        Step = line["step"]!.GetValue<int>(),
        Epoch = line["epoch"]!.GetValue<double>(),
        Loss = line["loss"]?.GetValue<double>(),
        LossParts = Parts(line, ""),
        Validation = line["eval_loss"] is { } loss ? new(loss.GetValue<double>(), Parts(line, "eval_")) : null,
    };

    private static Dictionary<string, double> Parts(JsonNode line, string prefix) => line.AsObject()
        .Where(entry => entry.Key.StartsWith(prefix + "loss_", StringComparison.Ordinal))
        .ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value!.GetValue<double>());
}
