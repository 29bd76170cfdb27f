namespace MLTransfer.Torch.Layers;

/// <summary>The order of a linear layer's weight dimensions in its checkpoint.</summary>
internal enum WeightLayout
{
    /// <summary>[output, input], as <c>torch.nn.Linear</c> keeps it.</summary>
    OutputByInput,

    /// <summary>[input, output], as GPT-2's <c>Conv1D</c> keeps it (peft calls it <c>fan_in_fan_out</c>).</summary>
    InputByOutput,
}
