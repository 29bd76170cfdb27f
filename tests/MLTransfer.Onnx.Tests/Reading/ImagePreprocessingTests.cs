using System.Text;
using MLTransfer.Onnx.Reading.TextImage;
using MLTransfer.Torch.Checkpoints;
using Xunit;

namespace MLTransfer.Onnx.Tests.Reading;

public sealed class ImagePreprocessingTests
{
    [Theory]
    [InlineData(ResamplingFilter.Box, new byte[] { 15, 36 })] // (10 + 20) / 2, (30 + 41) / 2 rounded up
    [InlineData(ResamplingFilter.Bilinear, new byte[] { 17, 33 })] // weights 3 3 1 of 7, and 1 3 3
    [InlineData(ResamplingFilter.Nearest, new byte[] { 20, 41 })] // the pixel at 1, and at 3
    public void A_row_is_made_half_as_long_by_the_filters_weights(object filter, byte[] expected) => Assert.Equal(
        expected, ImageResampling.Resize([10, 20, 30, 41], height: 1, width: 4, 1, 2, (ResamplingFilter)filter));

    [Theory]
    [InlineData(ResamplingFilter.Lanczos)]
    [InlineData(ResamplingFilter.Bicubic)]
    [InlineData(ResamplingFilter.Hamming)]
    [InlineData(ResamplingFilter.Bilinear)]
    [InlineData(ResamplingFilter.Box)]
    public void Resized_pictures_are_sums_over_a_filter_as_wide_as_a_new_pixel(object filter)
    {
        var planes = new byte[2 * 7 * 12];
        var random = new Random(4);
        for (var i = 0; i < planes.Length; i++)
            planes[i] = (byte)random.Next(70, 186); // what overshoots is not cut between the passes

        foreach (var (height, width) in ((int, int)[])[(5, 9), (13, 30), (7, 4), (20, 12)])
        {
            var found = ImageResampling.Resize(planes, 7, 12, height, width, (ResamplingFilter)filter);
            for (var i = 0; i < found.Length; i++)
            {
                var (channel, y, x) = (i / (height * width), i / width % height, i % width);
                var expected = Sum(12, width, x, column => Sum(7, height, y, row => planes[(channel * 7 + row) * 12 + column]));
                Assert.Equal(expected, found[i], 1.3); // bytes between the passes
            }
        }

        double Sum(int size, int newSize, int index, Func<int, double> value)
        {
            var scale = Math.Max(1, (double)size / newSize);
            var center = (index + 0.5) * size / newSize;
            var weights = Enumerable.Range(0, size).Select(i => Kernel((ResamplingFilter)filter, (i + 0.5 - center) / scale)).ToList();
            return weights.Index().Sum(weight => weight.Item * value(weight.Index)) / weights.Sum();
        }
    }

    [Fact]
    public void What_a_class_does_where_the_file_does_not_say_is_known()
    {
        var clip = Read("""{"feature_extractor_type": "CLIPFeatureExtractor", "size": 32}""");
        var siglip = Read("""{"image_processor_type": "SiglipImageProcessorFast", "size": {"height": 32, "width": 48}}""");

        Assert.Equal((32, null, (224, 224), ResamplingFilter.Bicubic), (clip.ShortestEdge, clip.Size, clip.Crop, clip.Filter));
        Assert.Equal([0.48145466f, 0.4578275f, 0.40821073f], clip.Mean);
        Assert.Equal(((32, 48), null, ResamplingFilter.Bicubic), (siglip.Size!.Value, siglip.Crop, siglip.Filter));
        Assert.Equal([0.5f, 0.5f, 0.5f], siglip.Deviation);
        Assert.Equal(1 / 255f, siglip.Scale);
    }

    [Fact]
    public void Steps_follow_each_other_and_black_lies_around_a_picture_that_is_too_small()
    {
        var small = Read("""
            {"do_resize": false, "do_center_crop": true, "crop_size": {"height": 3, "width": 4}, "do_rescale": true,
             "rescale_factor": 0.5, "do_normalize": true, "image_mean": [1, 2, 3], "image_std": [1, 2, 4]}
            """);

        var (values, height, width) = small.Apply([10, 20, 30, 40, 50, 60], height: 1, width: 2);

        Assert.Equal((3, 4), (height, width));
        Assert.Equal([-1, -1, -1, -1, -1, 4, 9, -1, -1, -1, -1, -1], values[..12]); // 10 / 2 - 1 and 20 / 2 - 1 in the middle
        Assert.Equal([(15 - 2) / 2f, (20 - 2) / 2f], values[17..19]);
        Assert.Equal((25 - 3) / 4f, values[29]);
        // Of three columns the first two are the middle: (3 - 2) / 2 is cut to 0 in front.
        var cut = Read("""
            {"do_resize": false, "do_center_crop": true, "crop_size": {"height": 1, "width": 2}, "do_rescale": false, "do_normalize": false}
            """);
        Assert.Equal([1, 2, 4, 5, 7, 8], cut.Apply([1, 2, 3, 4, 5, 6, 7, 8, 9], height: 1, width: 3).Values);
    }

    [Fact]
    public void The_longer_side_keeps_the_pictures_shape()
    {
        var edge = Read("""
            {"do_resize": true, "size": {"shortest_edge": 4}, "resample": 0, "do_rescale": false, "do_normalize": false}
            """);

        Assert.Equal((4, 7), Sizes(edge.Apply(new byte[3 * 10 * 19], 10, 19))); // 7.6
        Assert.Equal((7, 4), Sizes(edge.Apply(new byte[3 * 19 * 10], 19, 10)));

        static (int, int) Sizes((float[] Values, int Height, int Width) result) => (result.Height, result.Width);
    }

    [Theory]
    [InlineData("""{"image_processor_type": "LevitImageProcessor"}""", "image_processor_type", "SiglipImageProcessor")]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "do_pad": true}""", "do_pad", "not known")]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "size_divisor": 32}""", "size_divisor", "not known")]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "resample": 6}""", "resample", "bicubic")]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "size": {"longest_edge": 32}}""", "size", "height")]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 8, "longest_edge": 9}}""", "longest_edge", "")]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "crop_size": 100000}""", "100000", "at most 8192")]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "image_std": [1, 0, 1]}""", "image_std", "above 0")]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "image_mean": [1, 0]}""", "image_mean", "expected 3")]
    [InlineData("""{"image_processor_type": "SiglipImageProcessor", "do_center_crop": true}""", "do_center_crop", "cuts nothing")]
    [InlineData("""{"do_resize": true, "size": 8}""", "default_to_square", "needed")]
    [InlineData("""{"do_resize": true, "size": {"shortest_edge": 8}}""", "resample", "needed")]
    [InlineData("{}", "do_resize", "needed")]
    public void What_is_not_known_is_refused_by_name(string json, string key, string part)
    {
        var exception = Assert.ThrowsAny<Exception>(() => Read(json));

        Assert.True(exception is InvalidDataException or NotSupportedException, exception.ToString());
        Assert.Contains("preprocessor_config.json", exception.Message, StringComparison.Ordinal);
        Assert.Contains(key, exception.Message, StringComparison.Ordinal);
        Assert.Contains(part, exception.Message, StringComparison.Ordinal);
    }

    private static ImagePreprocessing Read(string json) => ImagePreprocessing.Read(
        JsonContent.ParseObject(Encoding.UTF8.GetBytes(json), "preprocessor_config.json"), "preprocessor_config.json");

    private static double Kernel(ResamplingFilter filter, double x) => (filter, Math.Abs(x)) switch
    {
        (ResamplingFilter.Box, _) => x is > -0.5 and <= 0.5 ? 1 : 0,
        (ResamplingFilter.Bilinear, var d) => Math.Max(0, 1 - d),
        (ResamplingFilter.Hamming, var d) => d >= 1 ? 0 : Sinc(d) * (0.54 + 0.46 * Math.Cos(Math.PI * d)),
        (ResamplingFilter.Lanczos, var d) => d >= 3 ? 0 : Sinc(d) * Sinc(d / 3),
        (_, var d) => d >= 2 ? 0 : d >= 1 ? -0.5 * d * d * d + 2.5 * d * d - 4 * d + 2 : 1.5 * d * d * d - 2.5 * d * d + 1,
    };

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
}
