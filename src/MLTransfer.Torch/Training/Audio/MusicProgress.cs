using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>The state of a MusicGen's training after an optimizer step, or at an evaluation.</summary>
public sealed record MusicProgress : RunProgress, ITrainingReport<MusicProgress>
{
    /// <summary>Times the data was gone through, with its fraction.</summary>
    public required double Epoch { get; init; }

    /// <summary>The mean over codebooks of the step's mean cross-entropy of each, in nats a code. Null at the evaluation before the first
    /// step.</summary>
    public double? Loss { get; init; }

    /// <summary>The Euclidean norm of the gradient before clipping.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>The learning rate of the step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>What the validation rows gave, where they were evaluated after this step.</summary>
    public MusicEvaluationResult? Validation { get; init; }

    /// <summary>Frames of codes trained on a second, over the run so far.</summary>
    public double FramesPerSecond { get; init; }

    internal override double? JudgedLoss => Validation?.Loss;

    internal override JsonObject ToJson()
    {
        var line = new JsonObject { ["step"] = Step, ["epoch"] = Math.Round(Epoch, 4) };
        Add(line, "loss", Loss);
        Add(line, "grad_norm", GradientNorm);
        Add(line, "learning_rate", LearningRate);
        Add(line, "eval_loss", Validation?.Loss);
        foreach (var (codebook, loss) in (Validation?.CodebookLosses ?? []).Index())
            Add(line, $"eval_loss_codebook_{codebook}", loss);
        Add(line, "frames_per_second", Math.Round(FramesPerSecond, 1));
        Add(line, "seconds", Math.Round(Elapsed.TotalSeconds, 3));
        return line;
    }

    internal override RunProgress WithSpeed(double amountPerSecond) => this with { FramesPerSecond = amountPerSecond };

    static MusicProgress ITrainingReport<MusicProgress>.FromJson(JsonNode line) => new()
    {
        Step = line["step"]!.GetValue<int>(),
        Epoch = line["epoch"]!.GetValue<double>(),
        Loss = line["loss"]?.GetValue<double>(),
        Validation = line["eval_loss"] is null ? null : new MusicEvaluationResult(Codebooks(line)),
    };

    private static List<double> Codebooks(JsonNode line)
    {
        var losses = new List<double>();
        while (line[$"eval_loss_codebook_{losses.Count}"] is { } loss)
            losses.Add(loss.GetValue<double>());
        return losses;
    }
}
