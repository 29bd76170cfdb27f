using MLTransfer.Torch.Metrics;
using TextToImage.Scenes;
using static TorchSharp.torch;

namespace MakeScenesModel;

/// <summary>Pictures that are drawn when they are asked for: the same number always gives the same picture.</summary>
/// <param name="count">How many.</param>
/// <param name="seed">Decides on them.</param>
/// <param name="draw">Draws one.</param>
internal sealed class SceneSet(int count, int seed, Func<Random, ScenePicture> draw)
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<ScenePicture> Pictures() =>
        [.. Enumerable.Range(0, count).AsParallel().AsOrdered().Select(index => draw(RandomOf(index)))];

    /// <summary>What a picture is drawn with.</summary>
    public Random RandomOf(int index) => new(unchecked(seed * 1_000_003 + index));

    /// <summary>All of them, in memory as training reads them.</summary>
    public ImageSet ToImages()
    {
        using var scope = NewDisposeScope();
        return new ImageSet(ToTensor(Pictures()));
    }

    /// <summary>Bytes: [N, 3, side, side].</summary>
    public static Tensor ToTensor(IReadOnlyList<ScenePicture> pictures)
    {
        using var scope = NewDisposeScope();
        byte[] pixels = [.. pictures.SelectMany(picture => picture.Pixels)];
        return tensor(pixels).view(-1, ScenePicture.Side, ScenePicture.Side, 3).permute(0, 3, 1, 2).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Of bytes such as <see cref="ToTensor"/> gives.</summary>
    public static IReadOnlyList<ScenePicture> ToPictures(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var rows = pixels.permute(0, 2, 3, 1).contiguous();
        return [.. Enumerable.Range(0, (int)rows.shape[0]).Select(row => new ScenePicture(rows[row].data<byte>().ToArray()))];
    }
}
