using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Torch.Training.Reports;

/// <summary>
/// <c>answers.jsonl</c>: a line for every answer. Pictures and sounds are files of the folder <c>answers</c>, named by step and number.
/// </summary>
internal sealed partial class AnswerLog
{
    private const string FileName = "answers.jsonl";
    private const string FolderName = "answers";

    /// <summary>The most pixels of a picture that stays in memory, each way.</summary>
    private const int ShownSize = 512;

    private static readonly JsonSerializerOptions s_json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private readonly string _outputDirectory;
    private readonly List<(int Step, SampleAnswer Answer)> _answers = [];

    /// <param name="outputDirectory">The run's folder.</param>
    /// <param name="lastStep">Answers of later steps are dropped: they come again. 0 means that nothing is kept.</param>
    public AnswerLog(string outputDirectory, int lastStep)
    {
        _outputDirectory = outputDirectory;
        GoBackTo(lastStep);
    }

    /// <summary>All answers, pictures no larger than a page shows them, sounds with theirs.</summary>
    public IReadOnlyList<(int Step, SampleAnswer Answer)> Answers => _answers;

    private string FilePath => Path.Combine(_outputDirectory, FileName);

    /// <summary>Writes the answers of a step.</summary>
    /// <returns>The answers, each medium with its file.</returns>
    public IReadOnlyList<SampleAnswer> Write(int step, IReadOnlyList<SampleAnswer> answers)
    {
        SampleAnswer[] stored = [.. answers.Select((answer, index) => answer is MediaAnswer media ? Store(step, index, media) : answer)];
        File.AppendAllLines(FilePath, stored.Select(answer => ToLine(step, answer)));
        _answers.AddRange(stored.Select(answer => (step, ToShow(answer))));
        return stored;
    }

    /// <summary>Drops the answers of later steps.</summary>
    /// <param name="lastStep">0 means that nothing is kept.</param>
    public void GoBackTo(int lastStep)
    {
        _answers.Clear();
        foreach (var file in Files().Where(file => lastStep == 0 || file.Step > lastStep).ToList())
            File.Delete(file.Path);
        EmptyFolder.Delete(Path.Combine(_outputDirectory, FolderName));
        if (lastStep == 0 || !File.Exists(FilePath))
        {
            File.Delete(FilePath);
            return;
        }

        foreach (var line in File.ReadLines(FilePath))
        {
            if (Parse(line) is { } entry && entry.Step <= lastStep)
                _answers.Add((entry.Step, ToShow(entry.Answer)));
        }

        AtomicFile.WriteAllText(FilePath, string.Concat(_answers.Select(entry => ToLine(entry.Step, entry.Answer) + "\n")));
    }

    private MediaAnswer Store(int step, int index, MediaAnswer media)
    {
        if (media.File is not null)
            return media;
        var extension = media.MediaType == MediaAnswer.Picture ? "png" : "wav";
        var file = $"{FolderName}/{step.ToString("D7", CultureInfo.InvariantCulture)}-{index + 1}.{extension}";
        Directory.CreateDirectory(Path.Combine(_outputDirectory, FolderName));
        AtomicFile.Write(Path.Combine(_outputDirectory, file), stream => stream.Write(media.Content));
        return media with { File = file };
    }

    private static SampleAnswer ToShow(SampleAnswer answer) => answer switch
    {
        MediaAnswer { MediaType: MediaAnswer.Picture } picture => picture with { Content = PngPicture.Shrink(picture.Content, ShownSize) },
        MediaAnswer { MediaType: MediaAnswer.Sound } sound => sound with { Plot = PlotOf(sound) },
        _ => answer,
    };

    /// <summary>Waveform and spectrogram; a task may answer with what is no sound, which is no reason to end a run.</summary>
    private static byte[]? PlotOf(MediaAnswer sound)
    {
        try
        {
            return WaveformPlot.ToPng(WaveformFile.Read(sound.Content, sound.File ?? sound.Input), ShownSize, ShownSize / 2);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static string ToLine(int step, SampleAnswer answer)
    {
        var line = new JsonObject { ["step"] = step, ["input"] = answer.Input };
        switch (answer)
        {
            case TextAnswer text:
                line["text"] = text.Text;
                break;
            case NumbersAnswer numbers:
                line["numbers"] = JsonSerializer.SerializeToNode(numbers.Numbers, s_json);
                line["expected"] = JsonSerializer.SerializeToNode(numbers.Expected, s_json);
                break;
            case MediaAnswer media:
                line["media_type"] = media.MediaType;
                line["file"] = media.File;
                break;
        }

        return line.ToJsonString();
    }

    private (int Step, SampleAnswer Answer)? Parse(string line)
    {
        try
        {
            var json = JsonContent.ParseObject(Encoding.UTF8.GetBytes(line), FileName);
            var (step, input) = (json["step"]!.GetValue<int>(), json["input"]!.GetValue<string>());
            if (json["text"] is { } text)
                return (step, new TextAnswer(input, text.GetValue<string>()));
            if (json["numbers"] is { } numbers)
                return (step, new NumbersAnswer(input, Numbers(numbers), Numbers(json["expected"]!)));
            var (type, file) = (json["media_type"]!.GetValue<string>(), json["file"]!.GetValue<string>());
            return IsInFolder(file)
                ? (step, new MediaAnswer(input, type, File.ReadAllBytes(Path.Combine(_outputDirectory, file))) { File = file })
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or ArgumentException
            or NullReferenceException or InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            return null; // the half line of a killed run, or a picture that was deleted
        }

        static float[] Numbers(JsonNode node) => node.Deserialize<float[]>(s_json)!;
    }

    /// <summary>Whether a name is one that a run gives: in the run's folder or that of answers.</summary>
    private static bool IsInFolder(string file) => RunFile.IsMatch(file);

    private IEnumerable<(string Path, int Step)> Files()
    {
        var folder = Path.Combine(_outputDirectory, FolderName);
        if (!Directory.Exists(folder))
            yield break;
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            var name = Path.GetFileName(path);
            if (RunFile.IsMatch($"{FolderName}/{name}")
                && int.TryParse(name[..name.IndexOf('-')], NumberStyles.None, CultureInfo.InvariantCulture, out var step))
            {
                yield return (path, step);
            }
        }
    }

    [GeneratedRegex(@"^(answers/[0-9]+-[0-9]+\.(png|wav)|[0-9A-Za-z]+-[0-9]+\.png)\z")]
    private static partial Regex RunFile { get; }
}
