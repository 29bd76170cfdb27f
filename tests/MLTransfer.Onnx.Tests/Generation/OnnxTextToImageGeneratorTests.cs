using System.Text.Json.Nodes;
using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Onnx.Tests.Generation;

public sealed class OnnxTextToImageGeneratorTests : IDisposable
{
    private const string Mini = "min-dalle-tiny";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_DALL_E_mini_writes_the_codes_of_the_reference_with_and_without_guidance()
    {
        using var generator = Export(Mini);
        foreach (var cases in Json(Mini)["cases"]!.AsArray()
            .GroupBy(one => one!["options"]!["supercondition_factor"]!.GetValue<double>()))
        {
            var made = generator.Generate(
                [.. cases.Select(one => ImagePrompt.FromText(one!["text"]!.GetValue<string>()))],
                new() { Sample = false, GuidanceScale = cases.Key }, cancellationToken: Token);
            foreach (var (one, picture) in cases.Zip(made))
                Assert.Equal(Numbers(one!["output_codes"]), picture.Codes);
        }
    }

    [Theory]
    [InlineData("dalle-transformer-tiny")]
    [InlineData("dalle-transformer-rotary-tiny")]
    [InlineData("dalle-transformer-reversible-tiny")]
    public void A_DALL_E_writes_the_codes_of_the_reference(string name)
    {
        using var generator = Export(name);
        var decoder = generator.Decoder;
        foreach (var one in Json(name)["cases"]!.AsArray())
        {
            var (given, scale) = (Numbers(one!["prompt_codes"]), one["options"]!["cond_scale"]!.GetValue<double>());
            using var writer = decoder.CreateWriter([decoder.PadCaption(Numbers(one["text_ids"])), decoder.PadCaption(null)]);
            var codes = new int[decoder.CodesPerSide * decoder.CodesPerSide];
            for (var place = 0; place < codes.Length; place++)
            {
                float[] guided = [.. writer.Logits(0).ToArray().Zip(
                    writer.Logits(1).ToArray(), (own, free) => (float)(free + scale * (own - free)))];
                codes[place] = place < given.Length ? given[place] : Array.IndexOf(guided, guided.Max());
                if (place < codes.Length - 1)
                    writer.Read([codes[place], codes[place]]);
            }

            Assert.Equal(Numbers(one["output_codes"]), codes);
        }
    }

    [Theory]
    [InlineData(Mini)]
    [InlineData("dalle-transformer-tiny")]
    [InlineData("dalle-transformer-rotary-tiny")]
    [InlineData("dalle-transformer-reversible-tiny")]
    public void Samples_are_those_of_the_engine_by_the_same_seeds(string name)
    {
        using var generator = Export(name);
        using var model = (TextToImageModel)GenerativeNetwork.Load(RepositoryFiles.Data($"images/{name}"));
        var engine = new TextToImageGenerator(model, TokenizerOf(name));
        List<ImagePrompt> prompts = name == Mini ? ["a red square", "blue", new()] : [new(), new() { Seed = 9 }];
        if (name != Mini)
        {
            var pixels = Enumerable.Range(0, 3 * 16 * 16).Select(i => i * 37 % 101 / 100f).ToArray();
            prompts.Add(new() { Pixels = pixels });
            prompts.Add(new() { Pixels = pixels, Kept = [.. Enumerable.Range(0, 64).Select(place => place % 3 == 0)] });
        }

        foreach (var options in (ImageGenerationOptions[])[
            new() { Seed = 3, GuidanceScale = 2, TopK = 7, Temperature = 0.8, BatchSize = 2 },
            new() { Seed = 4, GuidanceScale = 1, FilterThreshold = 0.6, TopK = 0 }])
        {
            var expected = engine.Generate(prompts, options, cancellationToken: Token);
            var found = generator.Generate(prompts, options, cancellationToken: Token);
            foreach (var (own, other) in expected.Zip(found))
            {
                Assert.Equal(own.Codes, other.Codes);
                Assert.InRange(own.Pixels.Zip(other.Pixels, (a, b) => Math.Abs(a - b)).Max(), 0, 1e-3f);
            }
        }
    }

    [Fact]
    public void What_is_no_export_is_named()
    {
        Assert.Throws<DirectoryNotFoundException>(() => OnnxTextToImageGenerator.Load(_folder["none"]));
        using (var generator = Export(Mini))
        {
            var pixels = new float[3 * generator.PictureSize * generator.PictureSize];
            Assert.Contains("image_encode.onnx", Assert.Throws<NotSupportedException>(() => generator.Generate(
                [new ImagePrompt { Pixels = pixels }], cancellationToken: Token)).Message, StringComparison.Ordinal);
            generator.Dispose();
            Assert.Throws<ObjectDisposedException>(() => generator.Generate([new ImagePrompt()], cancellationToken: Token));
        }

        Assert.Contains("OnnxTextToImageGenerator", Assert.Throws<NotSupportedException>(
            () => OnnxTextGenerator.Load(_folder["export"])).Message, StringComparison.Ordinal);
        foreach (var file in (string[])["image_decode.onnx", "encoder_model.onnx", "vqgan_config.json"])
        {
            File.Move(_folder[$"export/{file}"], _folder["moved"]);
            Assert.Contains(file, Assert.Throws<FileNotFoundException>(
                () => OnnxTextToImageGenerator.Load(_folder["export"])).Message, StringComparison.Ordinal);
            File.Move(_folder["moved"], _folder[$"export/{file}"]);
        }

        Change("vqgan_config.json", json => json["n_embed"] = 60);
        Assert.Contains("image_vocab_size", Assert.Throws<InvalidDataException>(
            () => OnnxTextToImageGenerator.Load(_folder["export"])).Message, StringComparison.Ordinal);
        Change("vqgan_config.json", json => json["n_embed"] = 48);
        Change("config.json", json => json["image_vocab_size"] = 50);
        Assert.Contains("merged decoder", Assert.Throws<InvalidDataException>(
            () => OnnxTextToImageGenerator.Load(_folder["export"])).Message, StringComparison.Ordinal);
        Change("config.json", json => json["model_type"] = "gpt2");
        Assert.Contains("gpt2", Assert.Throws<NotSupportedException>(
            () => OnnxTextToImageGenerator.Load(_folder["export"])).Message, StringComparison.Ordinal);
    }

    private void Change(string file, Action<JsonObject> change)
    {
        var json = JsonNode.Parse(File.ReadAllText(_folder[$"export/{file}"]))!.AsObject();
        change(json);
        File.WriteAllText(_folder[$"export/{file}"], json.ToJsonString());
    }

    private OnnxTextToImageGenerator Export(string name)
    {
        using var model = (TextToImageModel)GenerativeNetwork.Load(RepositoryFiles.Data($"images/{name}"));
        TextToImageExporter.Export(model, TokenizerOf(name), _folder["export"], new() { Check = false });
        return OnnxTextToImageGenerator.Load(_folder["export"], new() { ThreadCount = 1 });
    }

    private static TextTokenizer? TokenizerOf(string name) =>
        name == Mini ? TextTokenizer.Load(RepositoryFiles.Data($"images/{name}")) : null;

    private static JsonNode Json(string name) =>
        JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data($"images/{name}/generation.json")))!;

    private static int[] Numbers(JsonNode? list) => [.. list!.AsArray().Select(number => number!.GetValue<int>())];
}
