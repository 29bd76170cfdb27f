using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Transformers.Description;

/// <summary>Logits of hidden states: cap(weight · scale · transform(projection(x)) + bias).</summary>
/// <param name="Weight">[rows, width]; a table of the input where it is tied.</param>
/// <param name="Rows">The number of logits.</param>
/// <param name="Deviation">The standard deviation of a new weight.</param>
internal sealed record Head(string Weight, int Rows, double Deviation)
{
    /// <summary>Added to logits; null for nothing.</summary>
    public HeadBias? Bias { get; init; }

    /// <summary>What hidden states are multiplied with.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Logits become cap tanh(logit / cap); null for no cap.</summary>
    public double? SoftCap { get; init; }

    /// <summary>From the stack's width to that of the weight, where they differ (OPT).</summary>
    public Projection? Projection { get; init; }

    /// <summary>What hidden states go through first (BERT).</summary>
    public HeadTransform? Transform { get; init; }
}

/// <summary>A bias of logits.</summary>
/// <param name="Name">The parameter's whole name.</param>
/// <param name="IsRow">Whether it is stored as [1, rows] (BART), else as [rows].</param>
/// <param name="IsTrained">Whether it is a parameter; a constant of the checkpoint otherwise (BART).</param>
internal sealed record HeadBias(string Name, bool IsRow = false, bool IsTrained = true);

/// <summary>A layer between hidden states and logits, of the stack's width.</summary>
internal sealed record HeadTransform(Projection Dense, Activation Activation, Norm Norm);
