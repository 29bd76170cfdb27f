using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>A convolution of a discriminator.</summary>
/// <param name="Inputs">Feature maps of the input.</param>
/// <param name="Outputs">Feature maps of the output.</param>
/// <param name="Kernel">Along time.</param>
/// <param name="Stride">Along time.</param>
/// <param name="Groups">Feature maps are seen in so many groups.</param>
internal sealed record DiscriminatorLayer(int Inputs, int Outputs, int Kernel, int Stride, int Groups)
{
    private static readonly int[] s_scaleStrides = [1, 4, 4, 4, 4, 1];
    private static readonly int[] s_periodStrides = [3, 3, 3, 3, 1];

    /// <summary>The layers of arXiv 2010.05646, its last one included.</summary>
    /// <param name="isPeriod">Whether they look at a period; else at the samples.</param>
    /// <param name="width">32 in the paper.</param>
    public static IReadOnlyList<DiscriminatorLayer> Usual(bool isPeriod, int width)
    {
        var (strides, widths) = isPeriod
            ? (s_periodStrides, (int[])[1, width, 4 * width, 16 * width, 32 * width, 32 * width, 1])
            : (s_scaleStrides, [1, width / 2, 2 * width, 8 * width, 32 * width, 32 * width, 32 * width, 1]);
        int[] kernels = isPeriod ? [5, 5, 5, 5, 5, 3] : [15, 41, 41, 41, 41, 5, 3];
        int[] groups = isPeriod ? [1, 1, 1, 1, 1, 1] : [1, 4, 16, 64, 256, 1, 1];
        return
        [
            .. kernels.Select((kernel, i) => new DiscriminatorLayer(
                widths[i], widths[i + 1], kernel, i < strides.Length ? strides[i] : 1, Math.Min(groups[i], widths[i]))),
        ];
    }

    /// <summary>The name of a layer of <paramref name="count"/>.</summary>
    public static string Name(int index, int count) => index == count - 1 ? "conv_post" : $"convs.{index}";

    /// <summary>The layers that a file has, by the shapes of its tensors.</summary>
    /// <param name="checkpoint">The file.</param>
    /// <param name="find">Tells what the file calls a parameter.</param>
    /// <param name="part">0 for the one that looks at samples.</param>
    /// <exception cref="InvalidDataException">A tensor is missing or of a shape that no layer has.</exception>
    public static IReadOnlyList<DiscriminatorLayer> Read(Checkpoint checkpoint, Func<string, string?> find, int part)
    {
        var strides = part == 0 ? s_scaleStrides : s_periodStrides;
        var layers = new List<DiscriminatorLayer>();
        for (var (i, inputs) = (0, 1); i <= strides.Length; i++)
        {
            var name = $"discriminators.{part}.{Name(i, strides.Length + 1)}.{ConvolutionWeight.Direction}";
            var stored = find(name) ?? throw new InvalidDataException(
                $"{checkpoint.Location} has no tensor '{VitsNames.ToOlder(name)}'. It is no discriminator of a VITS.");
            var shape = checkpoint.Tensors[stored].Shape;
            var isFitting = shape.Count == (part == 0 ? 3 : 4) && shape.All(size => size is > 0 and < 1 << 16) && inputs % shape[1] == 0
                && shape[0] % (inputs / shape[1]) == 0 && shape[2] % 2 == 1 && (part == 0 || shape[3] == 1);
            if (!isFitting)
            {
                throw new InvalidDataException(
                    $"{checkpoint.Location}: tensor '{stored}' has shape [{string.Join(", ", shape)}], which is no convolution of {inputs} "
                    + "feature maps.");
            }

            layers.Add(new DiscriminatorLayer(
                inputs, (int)shape[0], (int)shape[2], i < strides.Length ? strides[i] : 1, (int)(inputs / shape[1])));
            inputs = (int)shape[0];
        }

        return layers;
    }
}
