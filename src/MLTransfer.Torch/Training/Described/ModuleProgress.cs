using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training.Described;

/// <summary>The state of the training of new layers and modules after a step.</summary>
public sealed record ModuleProgress : RunProgress, ITrainingReport<ModuleProgress>
{
    /// <summary>Times the rows were gone through, with its fraction.</summary>
    public required double Epoch { get; init; }

    /// <summary>The mean loss of the step's rows.</summary>
    public double? Loss { get; init; }

    /// <summary>The metric of the step's rows; <see cref="TrainingHistory.MetricName"/> says which.</summary>
    public double? Metric { get; init; }

    /// <summary>The Euclidean norm of the gradient before clipping.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>The learning rate of the step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The loss on the validation rows, where they were evaluated after this step.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>The metric on the validation rows, where they were evaluated after this step.</summary>
    public double? ValidationMetric { get; init; }

    /// <summary>Rows trained on a second, over the run so far.</summary>
    public double RowsPerSecond { get; init; }

    internal override double? JudgedLoss => ValidationLoss;

    internal override JsonObject ToJson()
    {
        var line = new JsonObject { ["step"] = Step, ["epoch"] = Math.Round(Epoch, 4) };
        Add(line, "loss", Loss);
        Add(line, "metric", Metric);
        Add(line, "grad_norm", GradientNorm);
        Add(line, "learning_rate", LearningRate);
        Add(line, "eval_loss", ValidationLoss);
        Add(line, "eval_metric", ValidationMetric);
        Add(line, "rows_per_second", Math.Round(RowsPerSecond, 1));
        Add(line, "seconds", Math.Round(Elapsed.TotalSeconds, 3));
        return line;
    }

    internal override RunProgress WithSpeed(double amountPerSecond) => this with { RowsPerSecond = amountPerSecond };

    static ModuleProgress ITrainingReport<ModuleProgress>.FromJson(JsonNode line) => new()
    {
        Step = line["step"]!.GetValue<int>(),
        Epoch = line["epoch"]!.GetValue<double>(),
        Loss = line["loss"]?.GetValue<double>(),
        ValidationLoss = line["eval_loss"]?.GetValue<double>(),
    };
}
