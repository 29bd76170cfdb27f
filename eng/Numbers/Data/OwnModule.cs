using Numbers.Library;
using Numbers.Reports;
using static TorchSharp.torch;

namespace Numbers.Data;

/// <summary>A network as a user writes one: [batch, 3, 16, 16] to [batch, 8].</summary>
public sealed class OwnModule : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.Conv2d convolution = nn.Conv2d(3, 8, 3, stride: 2);

    public OwnModule() : base(nameof(OwnModule)) => RegisterComponents();

    /// <summary>A file of weights, so that they are the same every time.</summary>
    public static string SavedWeights()
    {
        manual_seed(2);
        using var module = new OwnModule();
        var path = Path.Combine(Scratch.Folder(), "weights.safetensors");
        Files.WriteTensors(path, [.. module.named_parameters().Select(p => KeyValuePair.Create(p.name, (Tensor)p.parameter))]);
        return path;
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return convolution.call(input).relu().mean([2, 3]).MoveToOuterDisposeScope();
    }
}
