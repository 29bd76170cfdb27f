using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>A tensor of a GGUF file and the parameter whose values it has.</summary>
/// <param name="Stored">What the file calls it.</param>
/// <param name="Parameter">What the network calls the parameter.</param>
internal sealed record GgufParameter(string Stored, string Parameter)
{
    /// <summary>The order of the parameter's dimensions; files have [out, in].</summary>
    public WeightLayout Layout { get; init; } = WeightLayout.OutputByInput;

    /// <summary>For each row of the file the parameter's row; null where they are the same.</summary>
    public GgufRows? Rows { get; init; }

    /// <summary>What is added to the parameter: 1 where its norm is of 1 + weight.</summary>
    public double Added { get; init; }

    /// <summary>What the first <see cref="ScaledRows"/> rows of the file are multiplied with, so that llama.cpp's own factor is
    /// right.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>How many rows <see cref="Factor"/> holds for.</summary>
    public long ScaledRows { get; init; }

    /// <summary>The values that the file has for those of the parameter.</summary>
    public Tensor ToStored(Tensor parameter)
    {
        using var scope = NewDisposeScope();
        var values = Layout == WeightLayout.InputByOutput ? parameter.t() : parameter.alias();
        if (Rows is not null)
            values = values.index_select(0, Rows.ToTensor().to(values.device));
        if (Added != 0)
            values = values.to(ScalarType.Float32) + Added;
        if (Factor != 1)
        {
            values = values.to(ScalarType.Float32, copy: true);
            values.narrow(0, 0, ScaledRows).mul_(Factor);
        }

        return values.MoveToOuterDisposeScope();
    }

    /// <summary>The values of the parameter for those that a file has.</summary>
    /// <exception cref="InvalidOperationException">The file's are not those of the parameter alone.</exception>
    public Tensor ToParameter(Tensor stored)
    {
        using var scope = NewDisposeScope();
        if (Factor != 1)
            throw new InvalidOperationException($"'{Stored}' has other values than '{Parameter}'.");
        var values = Added == 0 ? stored.alias() : stored - Added;
        if (Rows is not null)
            values = values.index_select(0, Rows.ToTensor().argsort());

        return (Layout == WeightLayout.InputByOutput ? values.t().contiguous() : values).MoveToOuterDisposeScope();
    }
}
