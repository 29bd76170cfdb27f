using System.Text.Json.Serialization;
using MLTransfer.Columns;
using Microsoft.ML.Data;

namespace MLTransfer.Networks;

/// <summary>The columns that a network reads and makes; part of a saved model.</summary>
internal sealed record TorchModuleColumns
{
    public required string Input { get; init; }

    public required string Output { get; init; }

    public required NetworkOutputKind OutputKind { get; init; }

    public required bool InputIsImage { get; init; }

    /// <summary>The shape of an input without the batch.</summary>
    public required IReadOnlyList<long> InputShape { get; init; }

    /// <summary>The shape of an output without the batch.</summary>
    public required IReadOnlyList<long> OutputShape { get; init; }

    /// <summary>How the pixels of input images become numbers.</summary>
    public required ImageScaling InputScaling { get; init; }

    /// <summary>How numbers become the pixels of output images.</summary>
    public required ImageScaling OutputScaling { get; init; }

    /// <summary>
    /// The column with the most probable class as a key, or of a network that gives one probability whether it is more than 0.5; null for
    /// none.
    /// </summary>
    public string? PredictedLabel { get; init; }

    /// <summary>The column with the logarithm of the odds of a network that gives one probability; null for none.</summary>
    public string? Score { get; init; }

    /// <summary>What the classes stand for, where the labels told.</summary>
    public KeyNames? ClassNames { get; init; }

    /// <summary>The columns in their order: what the network gives, the predicted label, the score.</summary>
    [JsonIgnore]
    public IReadOnlyList<OutputColumn> Outputs
    {
        get
        {
            List<OutputColumn> columns = [new(Output, OutputKind.TypeOf(OutputShape), ClassNames?.ToSlotNames())];
            if (PredictedLabel is not null)
            {
                columns.Add(OutputKind == NetworkOutputKind.Scalar ? new(PredictedLabel, BooleanDataViewType.Instance)
                    : new(PredictedLabel, new KeyDataViewType(typeof(uint), (ulong)OutputShape[0]), ClassNames?.ToKeyValues()));
            }

            if (Score is not null)
                columns.Add(new(Score, NumberDataViewType.Single));
            return columns;
        }
    }

    /// <exception cref="ArgumentException">Shapes and kinds do not fit each other.</exception>
    public void Check()
    {
        CheckExtents(InputShape);
        CheckExtents(OutputShape);
        OptionCheck.Defined(nameof(OutputKind), OutputKind);
        var fits = OutputKind switch
        {
            NetworkOutputKind.Scalar => TensorColumn.ElementCount(OutputShape) == 1,
            NetworkOutputKind.Image => OutputShape is [1 or 3, _, _],
            _ => true,
        };
        if (!fits)
            throw new ArgumentException($"an output of shape [{string.Join(", ", OutputShape)}] does not fit the output column's type");
        if (InputIsImage)
        {
            if (InputShape is not [1 or 3, _, _])
                throw new ArgumentException($"an input of shape [{string.Join(", ", InputShape)}] is no image");
            InputScaling.Check(InputShape[0]);
        }

        if (OutputKind == NetworkOutputKind.Image)
            OutputScaling.Check(OutputShape[0]);
        ClassNames?.Check();
        if ((PredictedLabel is not null && OutputKind != NetworkOutputKind.Scalar
                && (OutputKind != NetworkOutputKind.Vector || OutputShape.Count != 1))
            || (Score is not null && OutputKind != NetworkOutputKind.Scalar)
            || (ClassNames is not null && (OutputShape.Count != 1 || ClassNames.Values.Count != OutputShape[0])))
            throw new ArgumentException("the predicted label does not fit the network's output");

        static void CheckExtents(IReadOnlyList<long> shape)
        {
            if (shape.Count is < 1 or > 8 || shape.Any(extent => extent is < 1 or > int.MaxValue)
                || shape.Aggregate(1.0, (product, extent) => product * extent) > int.MaxValue)
                throw new ArgumentException($"the shape [{string.Join(", ", shape)}] is not usable");
        }
    }
}
