using MLTransfer.Torch.Tests.Generation.Images;
using MLTransfer.Torch.Tests.Networks.Images;
using MLTransfer.Torch.Training.Images;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Images;

public sealed class ImageCodeCacheTests : IDisposable
{
    private readonly TinyPictures _model = TinyPictures.Create();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_picture_is_encoded_once_for_a_codec_and_a_damaged_file_is_made_again()
    {
        var pixels = TextToImageGeneratorTests.Pixels(1);
        var cache = new ImageCodeCache(_model, _folder["codes"]);
        var codes = cache.Encode(pixels);
        Assert.Equal(16, codes.Length);
        Assert.Equal(codes, cache.Encode([.. pixels]));
        Assert.Equal(codes, new ImageCodeCache(_model, null).Encode(pixels));
        Assert.Equal(1, cache.EncodedPictures);
        var file = Assert.Single(Directory.GetFiles(_folder["codes"]));
        var later = new ImageCodeCache(_model, _folder["codes"]);
        Assert.Equal(codes, later.Encode(pixels));
        Assert.Equal(0, later.EncodedPictures);

        foreach (var content in (byte[][])[[], [1, 2, 3], File.ReadAllBytes(file)[..^5]])
        {
            File.WriteAllBytes(file, content);
            Assert.Equal(codes, later.Encode(pixels));
        }

        Assert.Equal(3, later.EncodedPictures);
        using var other = _model.Copy();
        using (no_grad())
            other.Codec.parameters().Single().mul_(0.7);
        new ImageCodeCache(other, _folder["codes"]).Encode(pixels);
        Assert.Equal(2, Directory.GetFiles(_folder["codes"]).Length);
    }

    [Fact]
    public void What_is_no_picture_of_the_size_is_refused()
    {
        var cache = new ImageCodeCache(_model, _folder["codes"]);
        Assert.Contains("192", Assert.Throws<ArgumentException>(() => cache.Encode(new float[3])).Message, StringComparison.Ordinal);
        var pixels = TextToImageGeneratorTests.Pixels(1);
        pixels[7] = float.NaN;
        Assert.Throws<ArgumentException>(() => cache.Encode(pixels));
        Assert.False(Directory.Exists(_folder["codes"]));
    }
}
