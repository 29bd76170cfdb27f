using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training.Language;

/// <summary>The state of a training run after an optimizer step, or at an evaluation.</summary>
public sealed record TrainingProgress : ITrainingReport<TrainingProgress>
{
    /// <summary>Optimizer steps done.</summary>
    public required int Step { get; init; }

    /// <summary>Optimizer steps in all.</summary>
    public required int TotalSteps { get; init; }

    /// <summary>Times the data was gone through, with its fraction.</summary>
    public required double Epoch { get; init; }

    /// <summary>
    /// The cross-entropy of the step in nats: its sum over predicted tokens divided by the labels that count, as transformers reports it.
    /// Null at the evaluation before the first step.
    /// </summary>
    public double? Loss { get; init; }

    /// <summary>The Euclidean norm of the gradient before clipping.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>The learning rate of the step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The mean cross-entropy on the validation rows, in nats, where they were evaluated after this step.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Input tokens trained on a second, padding left out, over the run so far.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>Time since the start of this run.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>An estimate of the time left.</summary>
    public TimeSpan Remaining { get; init; }

    /// <summary>With the names that transformers logs under.</summary>
    JsonObject ITrainingReport<TrainingProgress>.ToJson()
    {
        var line = new JsonObject { ["step"] = Step, ["epoch"] = Math.Round(Epoch, 4) };
        Add("loss", Loss);
        Add("grad_norm", GradientNorm);
        Add("learning_rate", LearningRate);
        Add("eval_loss", ValidationLoss);
        Add("tokens_per_second", Math.Round(TokensPerSecond, 1));
        Add("seconds", Math.Round(Elapsed.TotalSeconds, 3));
        return line;

        void Add(string name, double? value)
        {
            if (value is { } number && double.IsFinite(number))
                line[name] = number;
        }
    }

    static TrainingProgress ITrainingReport<TrainingProgress>.FromJson(JsonNode line) => new()
    {
        Step = line["step"]!.GetValue<int>(),
        TotalSteps = 0,
        Epoch = line["epoch"]!.GetValue<double>(),
        Loss = line["loss"]?.GetValue<double>(),
        ValidationLoss = line["eval_loss"]?.GetValue<double>(),
    };
}
