using System.Xml.Linq;
using MLTransfer.Experiments;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>What an experiment shows.</summary>
public sealed class ReportTests
{
    private static readonly SearchSpace s_space = new()
    {
        ["kind"] = new ChoiceOption("a,b", "<b>"),
        ["rate"] = new UniformDoubleOption(1e-4, 1, logBase: true).When("kind", "<b>"),
        ["size"] = new UniformIntOption(1, 9),
    };

    private static readonly ExperimentReport s_report = new(s_space,
    [
        Trial(0, "{\"kind\":\"a,b\",\"size\":3}", TrialState.Completed, 2, seconds: 4),
        Trial(1, "{\"kind\":\"<b>\",\"rate\":0.1,\"size\":4}", TrialState.Completed, 0.1 + 0.2, seconds: 9),
        Trial(2, "{\"kind\":\"<b>\",\"rate\":0.02,\"size\":9}", TrialState.Pruned, 7, seconds: 1),
        Trial(3, "{\"kind\":\"a,b\",\"size\":1}", TrialState.Failed, double.NaN, seconds: 1, error: "It said \"no\", <twice>"),
        Trial(4, "{\"kind\":\"a,b\",\"size\":8}", TrialState.Completed, 3, seconds: 5),
        Trial(5, "{\"kind\":\"a,b\",\"size\":7}", TrialState.Completed, 1, seconds: 5),
    ]);

    [Fact]
    public void The_front_is_of_loss_and_time_and_of_size_where_it_is_known()
    {
        Assert.Equal([1, 5, 0], s_report.Front.Select(trial => trial.TrialSettings.TrialId));
        Assert.Equal(1, s_report.Best!.TrialSettings.TrialId);
        Assert.Equal(["loss", "seconds"], s_report.Objectives);
        Assert.Equal(ParetoFront.Hypervolume([[2, 4], [0.1 + 0.2, 9], [3, 5], [1, 5]], [3, 9]), s_report.Hypervolume);
        Assert.Equal(3, s_report.Importances.Count);

        var small = Trial(7, "{\"kind\":\"a,b\",\"size\":3}", TrialState.Completed, 2, seconds: 4);
        var large = Trial(8, "{\"kind\":\"a,b\",\"size\":3}", TrialState.Completed, 1, seconds: 4);
        (small.ModelSize, large.ModelSize) = (10, 20);
        var sized = new ExperimentReport(s_space, [small, large]);
        Assert.Equal((3, 2), (sized.Objectives.Count, sized.Front.Count));
    }

    [Fact]
    public void The_table_marks_the_best_and_the_front()
    {
        var lines = s_report.ToTable().TrimEnd('\n').Split('\n');
        Assert.Equal(7, lines.Length);
        Assert.StartsWith("*  1", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("+  0", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("   4", lines[5], StringComparison.Ordinal);
        Assert.Equal(lines[0].IndexOf("rate", StringComparison.Ordinal), lines[2].IndexOf("0.1 ", StringComparison.Ordinal));
    }

    [Fact]
    public void The_CSV_has_all_digits_and_quotes_what_needs_it()
    {
        var lines = s_report.ToCsv().TrimEnd('\n').Split('\n');
        Assert.Equal("trial,state,loss,metric,milliseconds,megabytes,cpu,bytes,tokens,front,kind,rate,size,error", lines[0]);
        Assert.Equal("1,Completed,0.30000000000000004,0,9000,,,,0,1,<b>,0.1,4,", lines[2]);
        Assert.Equal("3,Failed,NaN,0,1000,,,,0,0,\"a,b\",,1,\"It said \"\"no\"\", <twice>\"", lines[4]);
    }

    [Fact]
    public void The_page_is_one_file_without_script_and_shows_curves_options_and_importances()
    {
        var html = s_report.ToHtml();
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("http:", html, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", html, StringComparison.Ordinal);
        Assert.Contains("&lt;twice&gt;", html, StringComparison.Ordinal);
        Assert.Contains("6 trials: 4 completed, 1 pruned, 1 failed", html, StringComparison.Ordinal);
        List<XElement> pictures = [.. html.Split("<svg ").Skip(1).Select(part =>
            XElement.Parse("<svg " + part[..(part.IndexOf("</svg>", StringComparison.Ordinal) + 6)]))];
        Assert.Equal(3, pictures.Count); // losses, curves, options
        Assert.Equal(5, pictures[1].Elements("polyline").Count() + pictures[1].Elements("polygon").Count());
        Assert.Equal(5, pictures[2].Elements("path").Count()); // all but the failed one
        Assert.Equal(2, pictures[2].Elements("path").Count(path => !path.Attribute("d")!.Value[1..].Contains('M')));
        Assert.Equal(4, pictures[2].Elements("line").Count());
        Assert.Contains("size", html[html.IndexOf("<h2>Importance", StringComparison.Ordinal)..], StringComparison.Ordinal);
        _ = new ExperimentReport(s_space, []).ToHtml(); // nothing to show is shown
    }

    private static TrialResult Trial(int id, string parameter, TrialState state, double loss, double seconds, string? error = null) => new()
    {
        TrialSettings = new()
        {
            TrialId = id, Parameter = System.Text.Json.JsonSerializer.Deserialize<Parameter>(parameter)!,
        },
        State = state, Loss = loss, DurationInMilliseconds = seconds * 1000, Error = error,
        Reports = state == TrialState.Failed ? [] : [new(1, loss + 1), new(2, loss)],
    };
}
