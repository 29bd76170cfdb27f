using System.Globalization;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Generation.Processors;
using Xunit;

namespace MLTransfer.Torch.Tests.Networks.Dalle;

/// <summary>Drawing as the package draws, through the generator of pictures.</summary>
public class DalleGenerationTests
{
    [Theory]
    [InlineData(TinyDalle.Plain)]
    [InlineData(TinyDalle.Rotary)]
    [InlineData(TinyDalle.Reversible)]
    public void Probabilities_of_the_next_code_equal_the_reference(string name)
    {
        using var model = TinyDalle.Load(name);
        var json = TinyDalle.Json(name, "generation.json");
        using var writer = model.CreateWriter([model.PadCaption(TinyDalle.Numbers(json["text_ids"]))]);
        foreach (var code in TinyDalle.Numbers(json["prompt_codes"]))
            writer.Read([code]);
        foreach (var distribution in json["distributions"]!.AsArray())
        {
            var options = distribution!["options"]!;
            var sampling = new ImageGenerationOptions
            {
                FilterThreshold = options["filter_thres"]!.GetValue<double>(), Temperature = options["temperature"]!.GetValue<double>(),
            }.Sampling(model.LogitsPerPosition);
            var logits = writer.Logits(0).ToArray();
            LogitsPipeline.Create(sampling, logits.Length, []).Apply(logits, [], promptLength: 0);
            var weights = logits.Select(logit => Math.Exp(logit - logits.Max())).ToArray();
            var expected = distribution["probabilities"]!.AsObject();
            for (var code = 0; code < weights.Length; code++)
            {
                var probability = expected[code.ToString(CultureInfo.InvariantCulture)]?.GetValue<double>() ?? 0;
                Assert.Equal(probability, weights[code] / weights.Sum(), 3e-4 * probability + 1e-12);
            }
        }
    }

    [Fact]
    public void So_many_logits_are_kept_as_the_package_keeps()
    {
        foreach (var entry in TinyDalle.Json(TinyDalle.Plain, "generation.json")["kept"]!.AsArray())
        {
            var options = new ImageGenerationOptions { FilterThreshold = entry!["filter_thres"]!.GetValue<double>() };
            Assert.Equal(entry["k"]!.GetValue<int>(), options.Sampling(entry["total_tokens"]!.GetValue<int>()).TopK);
        }
    }

    [Theory]
    [InlineData(TinyDalle.Plain)]
    [InlineData(TinyDalle.Rotary)]
    [InlineData(TinyDalle.Reversible)]
    public void A_picture_is_completed_as_the_writer_completes_its_codes(string name)
    {
        using var model = TinyDalle.Load(name);
        var entry = TinyDalle.Json(name, "generation.json")["cases"]!.AsArray().First(
            c => c!["name"]!.GetValue<string>() == "primed_3_rows")!;
        var given = TinyDalle.Numbers(entry["prompt_codes"]);
        var generator = new TextToImageGenerator(model, tokenizer: null);
        var size = generator.PictureSize;
        var pixels = Enumerable.Range(0, 3 * size * size).Select(i => (i * 37 % 101) / 100f).ToArray();
        var codes = generator.Generate(
            [new ImagePrompt { Pixels = pixels }, "", new ImagePrompt { Pixels = pixels }],
            new ImageGenerationOptions { Sample = false, GuidanceScale = 1, KeptRows = 3.0 / 8 },
            cancellationToken: TestContext.Current.CancellationToken);
        var kept = codes[0].Codes.Take(given.Length).ToArray();
        Assert.Equal(TinyDalle.WriteGreedily(model, [], kept, 1), codes[0].Codes);
        Assert.Equal(TinyDalle.WriteGreedily(model, [], [], 1), codes[1].Codes);
        Assert.Equal(codes[0].Pixels, codes[2].Pixels);
        Assert.Equal(3 * 16 * 16, codes[0].Pixels.Length);
    }
}
