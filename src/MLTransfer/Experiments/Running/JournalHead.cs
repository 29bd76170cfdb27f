using System.Text.Json.Nodes;

namespace MLTransfer.Experiments.Running;

/// <summary>The first line of a journal, which an experiment that goes on from it must agree with.</summary>
internal static class JournalHead
{
    public static JournalLine.Head Of(ExperimentPlan plan) => new(plan.Seed, plan.Tuner.GetType().Name, SpaceText.Of(plan.SearchSpace));

    /// <summary>Writes it where the journal is new.</summary>
    /// <exception cref="InvalidDataException">The journal is of another experiment; the message says what differs.</exception>
    public static void Check(ExperimentPlan plan, TrialJournal? journal, JournalLine.Head? head)
    {
        if (journal is null)
            return;
        var mine = Of(plan);
        if (head is null)
        {
            journal.Write(mine);
            return;
        }

        if (Difference(mine, head) is { } difference)
        {
            throw new InvalidDataException(
                $"The journal is of another experiment: it was written with {difference}. Take the same, or another folder.");
        }
    }

    /// <summary>What another experiment has that one has not; null where they are the same.</summary>
    public static string? Difference(JournalLine.Head mine, JournalLine.Head head) =>
        mine.Seed != head.Seed ? $"the seed {head.Seed}, not {mine.Seed}"
            : mine.Tuner != head.Tuner ? $"the tuner {head.Tuner}, not {mine.Tuner}"
            : !JsonNode.DeepEquals(mine.Space, head.Space)
                ? $"the search space {head.Space.ToJsonString()}, not {mine.Space.ToJsonString()}"
            : null;
}
