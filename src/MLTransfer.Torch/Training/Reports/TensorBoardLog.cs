using System.Text.Json.Nodes;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Reports;

/// <summary>Event files for TensorBoard, by TorchSharp's own writer: the numbers of <c>metrics.jsonl</c> as scalars, and answers.</summary>
internal sealed class TensorBoardLog
{
    private const string FolderName = "tensorboard";

    /// <summary>The most numbers of an output that become scalars.</summary>
    private const int ShownNumbers = 16;

    private readonly string _outputDirectory;
    private readonly SummaryWriter _writer;

    /// <summary>Begins a new event file, with what a resumed run had written up to its checkpoint.</summary>
    public TensorBoardLog(string outputDirectory, RunCurves curves, IReadOnlyList<(int Step, SampleAnswer Answer)> answers)
    {
        Delete(outputDirectory); // a file that is only appended to cannot go back
        _outputDirectory = outputDirectory;
        _writer = utils.tensorboard.SummaryWriter(Path.Combine(outputDirectory, FolderName));
        foreach (var (name, points) in curves.All)
        {
            foreach (var (step, value) in points)
                _writer.add_scalar(name, (float)value, step);
        }

        foreach (var (step, answer) in answers)
            Write(step, answer);
    }

    /// <summary>Deletes the event files of an earlier run.</summary>
    public static void Delete(string outputDirectory)
    {
        var folder = Path.Combine(outputDirectory, FolderName);
        if (!Directory.Exists(folder))
            return;
        foreach (var file in Directory.EnumerateFiles(folder, "events.out.tfevents.*").ToList())
            File.Delete(file);
        EmptyFolder.Delete(folder);
    }

    /// <summary>Writes a line's numbers.</summary>
    public void Write(JsonObject line)
    {
        var (step, values) = MetricValues.Of(line);
        foreach (var (name, value) in values)
            _writer.add_scalar(name, (float)value, step);
    }

    /// <summary>Writes an answer; TorchSharp's writer knows no sounds.</summary>
    public void Write(int step, SampleAnswer answer)
    {
        var tag = "answers/" + string.Concat(answer.Input.Take(60).Select(c => char.IsLetterOrDigit(c) ? c : '_'));
        switch (answer)
        {
            case TextAnswer text:
                _writer.add_text(tag, text.Text, step);
                break;
            case MediaAnswer { MediaType: MediaAnswer.Picture, File: { } file }:
                _writer.add_img(tag, Path.Combine(_outputDirectory, file), step);
                break;
            case NumbersAnswer numbers:
                foreach (var (index, number) in numbers.Numbers.Take(ShownNumbers).Index())
                    _writer.add_scalar($"{tag}/{index}", number, step);
                break;
        }
    }
}
