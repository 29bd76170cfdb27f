using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Training.Reports;

/// <summary>What a run leaves to be read: answers, the page over all, and event files for TensorBoard where they are asked for.</summary>
internal sealed class RunReport
{
    private const string FileName = "run.html";

    private readonly string _outputDirectory;
    private readonly IReadOnlyList<OptionValue> _options;
    private readonly AnswerLog _answers;
    private readonly RunCurves _curves;
    private readonly TensorBoardLog? _tensorBoard;

    /// <param name="outputDirectory">The run's folder.</param>
    /// <param name="metricsFile">What was logged up to the step.</param>
    /// <param name="step">Where the run goes on; 0 for its beginning, which deletes what another run left.</param>
    /// <param name="options">The run's.</param>
    /// <param name="hasTensorBoard">Whether event files are written.</param>
    public RunReport(string outputDirectory, string metricsFile, int step, object options, bool hasTensorBoard)
    {
        _outputDirectory = outputDirectory;
        _options = OptionValue.Of(options);
        File.Delete(PagePath);
        _answers = new AnswerLog(outputDirectory, step);
        _curves = RunCurves.Read(metricsFile);
        TensorBoardLog.Delete(outputDirectory);
        if (hasTensorBoard)
            _tensorBoard = new TensorBoardLog(outputDirectory, _curves, _answers.Answers);
    }

    private string PagePath => Path.Combine(_outputDirectory, FileName);

    /// <summary>Adds a line of <c>metrics.jsonl</c>.</summary>
    public void Add(JsonObject line)
    {
        _curves.Add(line);
        _tensorBoard?.Write(line);
    }

    /// <summary>Adds the answers of a step.</summary>
    public void Add(int step, IReadOnlyList<SampleAnswer> answers)
    {
        if (answers.Count == 0)
            return;
        foreach (var answer in _answers.Write(step, answers))
            _tensorBoard?.Write(step, answer);
    }

    /// <summary>Drops what came after a step, to which the run has gone back.</summary>
    public void GoBackTo(int step)
    {
        _answers.GoBackTo(step);
        _curves.GoBackTo(step);
    }

    /// <summary>Deletes all of it.</summary>
    public void Delete()
    {
        GoBackTo(0);
        File.Delete(PagePath);
        TensorBoardLog.Delete(_outputDirectory);
    }

    /// <summary>Writes the page anew.</summary>
    public void WritePage(RunStatus status)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(_outputDirectory)));
        AtomicFile.WriteAllText(PagePath, RunPage.Create(name, status, _curves, _answers.Answers, _options));
    }
}
