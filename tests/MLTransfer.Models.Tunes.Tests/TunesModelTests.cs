using System.Globalization;
using AudioGeneration.Tunes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Models.Tests;

public class TunesModelTests
{
    private const long MostBytes = 8_000_000;

    [Fact]
    public void Folder_holds_a_model_and_nothing_else()
    {
        Assert.Equal(Path.Combine(AppContext.BaseDirectory, "models", "tunes"), TunesModel.Folder);
        Assert.Equal(
            [
                "config.json", "generation_config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json",
                "tokenizer_config.json",
            ],
            Directory.EnumerateFiles(TunesModel.Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Assert.InRange(Directory.EnumerateFiles(TunesModel.Folder).Sum(file => new FileInfo(file).Length), 1, MostBytes);
    }

    [Fact]
    public void Missing_folder_is_reported_with_its_path()
    {
        string application = Path.Combine(Path.GetTempPath(), "application-without-models");

        var exception = Assert.Throws<DirectoryNotFoundException>(() => TunesModel.FindIn(application));

        Assert.Contains(Path.Combine(application, "models", "tunes"), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_are_float16_and_as_many_as_the_model_card_says()
    {
        using var weights = SafetensorsFile.Open(Path.Combine(TunesModel.Folder, "model.safetensors"));
        using var model = MusicGenModel.Load(TunesModel.Folder);

        Assert.All(weights.Tensors.Values, tensor => Assert.Equal(ScalarType.Float16, tensor.DataType));
        var parameters = model.parameters().Sum(parameter => parameter.numel());
        Assert.Contains($"{parameters.ToString("N0", CultureInfo.InvariantCulture)}, stored as float16",
            File.ReadAllText(Path.Combine(RepositoryFiles.Root, "src", "MLTransfer.Models.Tunes", "MODEL_CARD.md")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Codec_keeps_the_notes_of_a_tune()
    {
        using var model = MusicGenModel.Load(TunesModel.Folder);
        var checker = new TuneChecker();
        var (notes, heard) = (0, 0);
        foreach (var (_, tune, sound) in Compose(12, seed: 41))
        {
            using var codes = model.Codec.Encode(sound);
            var report = checker.Check(model.Codec.DecodeSounds(codes)[0]);
            notes += tune.Notes.Count;
            heard += tune.Notes.Count(note => report.Notes.Any(other =>
                other.Semitone == note.Pitch && Math.Abs(other.Start - note.Start * tune.BeatSeconds) < 0.08));
        }

        Assert.InRange((double)heard / notes, 0.9, 1);
    }

    /// <summary>By chance it would be one of three, six and two.</summary>
    [Fact]
    public void Captions_are_obeyed()
    {
        using var model = MusicGenModel.Load(TunesModel.Folder);
        var styles = Compose(32, seed: 42).Select(tune => tune.Style).ToList();

        var made = new MusicGenerator(model, TextTokenizer.Load(TunesModel.Folder)).Generate(
            [.. styles.Select(style => MusicPrompt.FromText(TuneCaptions.Full(style)))],
            new MusicGenerationOptions { MaximumSeconds = Tune.Seconds, Seed = 1, BatchSize = 16, Temperature = 0.7, TopK = 100 },
            cancellationToken: TestContext.Current.CancellationToken);

        var checker = new TuneChecker();
        var score = TuneScore.Of(styles, [.. made.Select(music => checker.Check(music.Sound))]);
        Assert.InRange(score.Tempo, 0.5, 1);
        Assert.InRange(score.Timbre, 0.6, 1);
        Assert.InRange(score.Beats, 0.65, 1);
        Assert.InRange(score.InScale, 0.8, 1);
    }

    private static List<(TuneStyle Style, Tune Tune, Waveform Sound)> Compose(int count, int seed)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(_ =>
            {
                var style = TuneStyle.Draw(random, Scale.Known);
                var tune = TuneComposer.Compose(style, random);
                return (style, tune, TuneRenderer.Render(tune, random));
            }),
        ];
    }
}
