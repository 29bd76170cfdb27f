using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training.Language;

/// <summary>The state of a language model's training after an optimizer step, or at an evaluation.</summary>
public sealed record TrainingProgress : RunProgress, ITrainingReport<TrainingProgress>
{
    /// <summary>Times the data was gone through, with its fraction.</summary>
    public required double Epoch { get; init; }

    /// <summary>
    /// The cross-entropy of the step in nats: its sum over predicted tokens divided by the labels that count, as transformers reports it.
    /// Null at the evaluation before the first step. Of preference tuning the mean loss of the step's pairs.
    /// </summary>
    public double? Loss { get; init; }

    /// <summary>The Euclidean norm of the gradient before clipping.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>The learning rate of the step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>
    /// The mean cross-entropy on the validation rows, in nats, where they were evaluated after this step; of preference tuning the mean
    /// loss of the validation pairs.
    /// </summary>
    public double? ValidationLoss { get; init; }

    /// <summary>What the model made of the step's pairs, before the step, in preference tuning; null in other training.</summary>
    public PreferenceMetrics? Preferences { get; init; }

    /// <summary>The same of the validation pairs, where they were evaluated after this step.</summary>
    public PreferenceMetrics? ValidationPreferences { get; init; }

    /// <summary>Input tokens trained on a second, padding left out, over the run so far.</summary>
    public double TokensPerSecond { get; init; }

    internal override double? JudgedLoss => ValidationLoss;

    /// <summary>With the names that transformers logs under.</summary>
    internal override JsonObject ToJson()
    {
        var line = new JsonObject { ["step"] = Step, ["epoch"] = Math.Round(Epoch, 4) };
        Add(line, "loss", Loss);
        Add(line, "grad_norm", GradientNorm);
        Add(line, "learning_rate", LearningRate);
        Add(line, "eval_loss", ValidationLoss);
        AddPreferences("", Preferences);
        AddPreferences("eval_", ValidationPreferences);
        Add(line, "tokens_per_second", Math.Round(TokensPerSecond, 1));
        Add(line, "seconds", Math.Round(Elapsed.TotalSeconds, 3));
        return line;

        void AddPreferences(string prefix, PreferenceMetrics? preferences)
        {
            Add(line, prefix + "rewards/chosen", preferences?.ChosenReward);
            Add(line, prefix + "rewards/rejected", preferences?.RejectedReward);
            Add(line, prefix + "rewards/accuracies", preferences?.RewardAccuracy);
            Add(line, prefix + "rewards/margins", preferences?.RewardMargin);
            Add(line, prefix + "logps/chosen", preferences?.ChosenLogProbability);
            Add(line, prefix + "logps/rejected", preferences?.RejectedLogProbability);
            Add(line, prefix + "logps/accuracies", preferences?.ProbabilityAccuracy);
        }
    }

    internal override RunProgress WithSpeed(double amountPerSecond) => this with { TokensPerSecond = amountPerSecond };

    static TrainingProgress ITrainingReport<TrainingProgress>.FromJson(JsonNode line) => new()
    {
        Step = line["step"]!.GetValue<int>(),
        Epoch = line["epoch"]!.GetValue<double>(),
        Loss = line["loss"]?.GetValue<double>(),
        ValidationLoss = line["eval_loss"]?.GetValue<double>(),
    };
}
