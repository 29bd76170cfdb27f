using System.Text.Json.Nodes;
using MLTransfer.Torch.Training.Reports;

namespace MLTransfer.Torch.Training;

/// <summary>The state of a training run after a step, or at an evaluation; <c>metrics.jsonl</c> has a line for each.</summary>
public abstract record RunProgress
{
    private protected RunProgress()
    {
    }

    /// <summary>Optimizer steps done; in a training of two networks, updates of both.</summary>
    public required int Step { get; init; }

    /// <summary>Steps in all.</summary>
    public int TotalSteps { get; init; }

    /// <summary>Time since the start of this run.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>An estimate of the time left.</summary>
    public TimeSpan Remaining { get; init; }

    /// <summary>What the model answered to the run's samples, where they were answered after this step; else empty.</summary>
    public IReadOnlyList<SampleAnswer> Answers { get; init; } = [];

    /// <summary>
    /// What the best weights are chosen by: the loss on the validation rows, where it was measured; null where nothing is chosen.
    /// </summary>
    internal virtual double? JudgedLoss => null;

    /// <summary>The line's entries.</summary>
    internal abstract JsonObject ToJson();

    /// <summary>The same with how much the run takes in a second.</summary>
    internal abstract RunProgress WithSpeed(double amountPerSecond);

    /// <summary>Puts numbers into a line; what is null, NaN or infinite is left out, as JSON has no such number.</summary>
    private protected static void Add(JsonObject line, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
            line[name] = number;
    }
}
