using System.Globalization;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tests.Networks.MusicGen;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Generation.Music;

/// <summary>Codes and sounds that the reference stack generates.</summary>
public class MusicReferenceTests
{
    public static IEnumerable<TheoryDataRow<string, string>> Cases =>
        from folder in (string[])[TinyMusic.Mono, TinyMusic.Stereo]
        from name in (string[])["greedy", "greedy_guidance3", "continuation", "continuation_guidance3", "unconditional"]
        select new TheoryDataRow<string, string>(folder, name);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Codes_equal_those_of_the_reference_and_sounds_to_a_ten_thousandth(string folder, string name)
    {
        using var music = new TinyMusic(folder);
        var reference = music.Json("generation.json")["cases"]!.AsArray().First(c => c!["name"]!.GetValue<string>() == name)!;
        using var tensors = music.Tensors("generation.safetensors");
        var texts = reference["texts"]?.AsArray().Select(text => text!.GetValue<string>()).ToArray();
        var codes = reference["codes"]!.AsArray().Select(TinyMusic.Rows).ToArray();
        var hasSound = name.StartsWith("continuation", StringComparison.Ordinal);
        var prompts = codes.Select((_, row) => new MusicPrompt
        {
            Text = texts?[row], Sound = hasSound ? Sound(tensors.Read("prompt_input_values")[row], music) : null,
        }).ToList();
        var made = new MusicGenerator(music.Model, music.Tokenizer).Generate(prompts, new MusicGenerationOptions
        {
            Sample = false,
            GuidanceScale = reference["options"]!["guidance_scale"]!.GetValue<double>(),
            MaximumFrames = codes[0][0].Length - (hasSound ? 7 : 0),
        }, cancellationToken: TestContext.Current.CancellationToken);
        foreach (var (row, result) in made.Index())
        {
            Assert.Equal(codes[row], result.Codes);
            Assert.Equal(hasSound ? 7 : 0, result.PromptFrames);
            using var scope = NewDisposeScope();
            var distance = TinyMusic.Distance(result.Sound.ToTensor(), tensors.Read($"audio.{name}")[row]);
            Assert.True(distance < 1e-4, $"row {row} differs by {distance}");
        }
    }

    [Theory]
    [InlineData(TinyMusic.Mono)]
    [InlineData(TinyMusic.Stereo)]
    public void Guided_logits_equal_the_reference(string folder)
    {
        using var music = new TinyMusic(folder);
        using var tensors = music.Tensors("generation.safetensors");
        var reference = music.Json("generation.json")["cases"]!.AsArray()
            .First(c => c!["name"]!.GetValue<string>() == "greedy_guidance3")!;
        using var batch = Batch(music, reference["texts"]!.AsArray().Select(t => t!.GetValue<string>()));
        var columns = TinyMusic.Rows(reference["delayed_ids"]);
        using var expected = tensors.Read("guided_logits");                                   // [steps, batch x codebooks, codes]
        for (var step = 0; step < expected.shape[0]; step++)
        {
            Next(batch, columns, step, music.Model.Codebooks);
            for (var row = 0; row < columns.Length; row++)
            {
                using var scope = NewDisposeScope();
                var logits = tensor(batch.Logits(row / music.Model.Codebooks, row % music.Model.Codebooks).ToArray());
                Assert.True(TinyMusic.Distance(logits, expected[step][row]) < 1e-3, $"step {step}, row {row}");
            }
        }
    }

    [Theory]
    [InlineData(TinyMusic.Mono)]
    [InlineData(TinyMusic.Stereo)]
    public void Distributions_that_are_sampled_from_equal_the_reference(string folder)
    {
        using var music = new TinyMusic(folder);
        var generation = music.Json("generation.json");
        var texts = generation["cases"]![0]!["texts"]!.AsArray().Select(t => t!.GetValue<string>()).ToList();
        foreach (var reference in generation["distributions"]!.AsArray())
        {
            var options = reference!["options"]!;
            var choice = new LogitsChoice(new MusicGenerationOptions
            {
                TopK = options["top_k"]?.GetValue<int>() ?? 0,
                TopP = options["top_p"]?.GetValue<double>() ?? 1,
                Temperature = options["temperature"]?.GetValue<double>() ?? 1,
            }, music.Model.CodebookSize);
            using var batch = Batch(music, texts, options["guidance_scale"]!.GetValue<double>());
            var prefix = TinyMusic.Rows(reference["prefix_ids"]);
            for (var step = 0; step < prefix[0].Length; step++)
                Next(batch, prefix, step, music.Model.Codebooks);
            foreach (var (row, probabilities) in reference["probabilities"]!.AsArray().Index())
            {
                var logits = batch.Logits(row / music.Model.Codebooks, row % music.Model.Codebooks);
                var random = new SplitMix64(1);
                choice.Next(logits, new Torch.Generation.TokenSequence([]), ref random);
                var maximum = logits.ToArray().Max();
                var weights = logits.ToArray().Select(logit => Math.Exp(logit - maximum)).ToArray();
                var expected = probabilities!.AsObject().ToDictionary(
                    p => int.Parse(p.Key, CultureInfo.InvariantCulture), p => p.Value!.GetValue<double>());
                foreach (var (code, weight) in weights.Index())
                    Assert.Equal(expected.GetValueOrDefault(code), weight / weights.Sum(), 1e-4);
            }
        }
    }

    private static MusicBatch Batch(TinyMusic music, IEnumerable<string> texts, double guidance = 3) =>
        new(music.Model, [.. texts.Select(text => music.Tokenizer.Encode(text))], guidance);

    private static void Next(MusicBatch batch, int[][] columns, int step, int codebooks)
    {
        if (step == 0)
            batch.Begin([.. columns.Chunk(codebooks).Select(row => row.Select(codebook => codebook[..1]).ToArray())], columns[0].Length);
        else
            batch.Read([.. columns.Select(codebook => codebook[step])]);
    }

    private static Waveform Sound(Tensor samples, TinyMusic music) => Waveform.FromTensor(samples, music.Model.SampleRate);
}
