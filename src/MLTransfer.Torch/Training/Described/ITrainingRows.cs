namespace MLTransfer.Torch.Training.Described;

/// <summary>Rows to train on: inputs with the outputs that the network shall give for them.</summary>
public interface ITrainingRows
{
    /// <summary>How many there are.</summary>
    int Count { get; }

    /// <summary>Writes a row's input, row-major in the network's input shape.</summary>
    void ReadInput(int row, Span<float> values);

    /// <summary>Writes a row's target, row-major in the network's output shape.</summary>
    void ReadTarget(int row, Span<float> values);
}
