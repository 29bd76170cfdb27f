using Microsoft.Extensions.AI;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Tests.Images;
using SkiaSharp;
using Xunit;

namespace MLTransfer.Extensions.AI.Tests;

public sealed class PictureTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Pictures_of_a_caption_are_those_of_rows_with_it_fitted_and_from_a_zip()
    {
        var rows = _ml.Data.LoadFromEnumerable(Enumerable.Repeat(new CaptionedRow { Caption = "a red square" }, 2));
        using var fitted = Painter(TinyCaptions.Save(_folder["dalle"]), "Caption", rows);
        _ml.Generation.Save(fitted, rows.Schema, _folder["painter.zip"]);
        var expected = fitted.Transform(rows).GetColumn<MLImage>("Picture").Select(picture => picture.Pixels.ToArray()).ToList();
        using var generator = fitted.AsImageGenerator();
        using var loaded = _ml.Model.Load(_folder["painter.zip"], out _).AsImageGenerator("painter", ownsModel: true);

        foreach (var client in (IImageGenerator[])[generator, loaded])
        {
            var made = await client.GenerateAsync(new("a red square"), new() { Count = 2, ImageSize = new(16, 16) });
            Assert.Equal(expected, made.Contents.Select(Pixels));
        }

        var other = await generator.GenerateAsync(new("a red square"), new() { AdditionalProperties = new() { ["seed"] = 77 } });
        Assert.NotEqual(expected[0], Pixels(Assert.Single(other.Contents)));
        var webp = await generator.GenerateAsync(new("a red square"), new() { MediaType = "image/webp" });
        Assert.Equal("image/webp", Assert.IsType<DataContent>(Assert.Single(webp.Contents)).MediaType);
        Assert.Equal("painter", loaded.GetService<ImageGeneratorMetadata>()!.DefaultModelId);
    }

    [Fact]
    public async Task A_StyleGAN2_makes_pictures_of_seeds_that_follow_each_other_and_of_classes()
    {
        var seeds = TinyGenerator.Seeds(_ml, 3);
        using var fitted = Painter(TinyGenerator.Save(_folder), "Seed", seeds);
        var expected = TinyGenerator.Pixels(fitted.Transform(seeds));
        using var client = fitted.AsImageGenerator();
        using var other = new TemporaryFolder();
        using var conditional = _ml.Transforms.GenerateImages("Picture", "Seed", TinyGenerator.Save(other, classes: 2), new()
        {
            LabelColumnName = "Label",
        }).Fit(_ml.Data.LoadFromEnumerable([new LabelledRow()]));
        using var byClass = conditional.AsImageGenerator();
        var second = conditional.Transform(_ml.Data.LoadFromEnumerable([new LabelledRow { Seed = 4, Label = [0, 1] }]));

        var made = await client.GenerateAsync(
            new(""), new() { Count = 2, AdditionalProperties = new() { ["seed"] = 1 } });
        var classed = await byClass.GenerateAsync(new("1"), new() { AdditionalProperties = new() { ["seed"] = 4 } });

        Assert.Equal(expected[1..], made.Contents.Select(Pixels));
        Assert.Equal(TinyGenerator.Pixels(second)[0], Pixels(classed.Contents[0]));
        Assert.Contains("Leave the prompt empty", (await Assert.ThrowsAsync<ArgumentException>(() =>
            client.GenerateAsync(new("a red square")))).Message, StringComparison.Ordinal);
        Assert.Contains("from 0 to 1", (await Assert.ThrowsAsync<ArgumentException>(() =>
            byClass.GenerateAsync(new("2")))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_there_is_not_is_refused_by_name()
    {
        using var fitted = Painter(TinyGenerator.Save(_folder), "Seed", TinyGenerator.Seeds(_ml, 1));
        using var client = fitted.AsImageGenerator();

        foreach (var (name, options) in ((string, ImageGenerationOptions)[])
        [
            ("ImageSize", new() { ImageSize = new(8, 8) }), ("MediaType", new() { MediaType = "image/gif" }),
            ("ResponseFormat", new() { ResponseFormat = ImageGenerationResponseFormat.Uri }), ("StreamingCount",
                new() { StreamingCount = 1 }),
            ("ModelId", new() { ModelId = "another" }),
        ])
        {
            var refused = await Assert.ThrowsAsync<NotSupportedException>(() => client.GenerateAsync(new(""), options));
            Assert.StartsWith(name, refused.Message, StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<NotSupportedException>(() => client.GenerateAsync(
            new("", [new DataContent(new byte[] { 1 }, "image/png")])));
        Assert.Contains("no text generator", Assert.Throws<ArgumentException>(() => fitted.AsChatClient()).Message,
            StringComparison.Ordinal);
    }

    private ImageGeneratorTransformer Painter(string model, string column, IDataView rows) =>
        _ml.Transforms.GenerateImages("Picture", column, model, new() { Seed = 5 }).Fit(rows);

    private static byte[] Pixels(AIContent content)
    {
        using var bitmap = SKBitmap.Decode(Assert.IsType<DataContent>(content).Data.Span);
        using var plain = bitmap.Copy(SKColorType.Rgba8888);
        return plain.Bytes;
    }

    private sealed class LabelledRow
    {
        public int Seed { get; set; }

        [VectorType(2)]
        public float[] Label { get; set; } = [1, 0];
    }
}
