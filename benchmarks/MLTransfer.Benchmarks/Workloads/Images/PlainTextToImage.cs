using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>A network from captions to codes of pictures, written with TorchSharp's own modules, as its users write models.</summary>
internal abstract class PlainTextToImage(string name, int codes) : nn.Module(name)
{
    /// <summary>The layers that the library's default puts adapters beside.</summary>
    protected abstract IEnumerable<PlainLinear> AdaptedLayers { get; }

    /// <summary>The loss of training.</summary>
    /// <param name="text">[batch, text length].</param>
    /// <param name="codes">[batch, codes of a picture].</param>
    public abstract Tensor Loss(Tensor text, Tensor codes);

    /// <summary>Freezes all weights and puts adapters beside some layers.</summary>
    public void Adapt(int rank)
    {
        foreach (var parameter in parameters())
            parameter.requires_grad_(false);
        foreach (var layer in AdaptedLayers)
            layer.Adapt(rank);
    }

    /// <summary>Draws the most probable codes with guidance, with a cache of keys and values.</summary>
    /// <param name="text">[pictures, text length].</param>
    /// <param name="empty">[1, text length], no caption.</param>
    /// <param name="guidance">What the caption changes is multiplied with it.</param>
    public Tensor Draw(Tensor text, Tensor empty, double guidance)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var pictures = text.shape[0];
        using var drawing = Begin(cat([text, empty.expand(text.shape)], 0));
        var drawn = zeros([pictures, codes], ScalarType.Int64);
        for (var place = 0; place < codes; place++)
        {
            using var step = NewDisposeScope();
            var logits = drawing.Logits();                                                          // [2 pictures, codebook]
            var (with, without) = (logits.narrow(0, 0, pictures), logits.narrow(0, pictures, pictures));
            var code = (without + guidance * (with - without)).argmax(1);
            drawn.select(1, place).copy_(code);
            if (place < codes - 1)
                drawing.Read(cat([code, code], 0), place);
        }

        return drawn.MoveToOuterDisposeScope();
    }

    /// <summary>Reads captions.</summary>
    protected abstract PlainDrawing Begin(Tensor text);
}
